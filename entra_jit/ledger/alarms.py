"""Alarms: raised once for as long as they stand, and ended by an all-clear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, and_, delete, func, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import events, receipts
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.texts import Written
from models.actor import ALARMS, Actor
from models.alarms import Alarm, AlarmKind
from models.events import Event, EventKind
from models.paging import Page, read_cursor
from models.tables import AlarmRow


class Recording:
    """Alarms raised and ended together with what they are about, in one transaction: announced once it is committed."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.changed: list[Alarm] = []
        """Those that are new, and (with ``cleared_at``) those that are over, in order."""

    async def raise_alarm(self, alarm: Alarm) -> None:
        """Record that it stands; one that stood already is not announced again."""
        if await raise_alarm(self.session, alarm):
            self.changed.append(alarm)

    async def clear(
        self, kind: AlarmKind, subject: str, all_clear: str, at: datetime, by: Actor | None = None
    ) -> Alarm | None:
        """End it, and say why; ``by``: who does so by hand. None: it did not stand. Idempotent."""
        if ended := await clear(self.session, kind, subject, all_clear, at, by):
            self.changed.append(ended)
        return ended


async def raise_alarm(session: AsyncSession, alarm: Alarm) -> bool:
    """Record that ``alarm`` stands. False: it stood already, and only its sentence is brought up to date.

    That a closing is late is not raised any more once it is settled, which has had its all-clear.
    """
    if alarm.kind is AlarmKind.CLOSING_LATE and await receipts.of_request(session, alarm.subject, lock=True):
        return False
    values = alarm.model_dump(exclude={"kind", "cleared_at", "all_clear", "cleared_by"}) | {"kind": alarm.kind.value}
    inserted = insert(AlarmRow).values(values).on_conflict_do_nothing().returning(col(AlarmRow.kind))
    if (await session.exec(inserted)).first() is not None:
        await events.append(session, _event(EventKind.ALARM_RAISED, alarm))
        return True
    await session.exec(update(AlarmRow).where(_standing(alarm.kind, alarm.subject)).values(sentence=alarm.sentence))
    return False


async def clear(
    session: AsyncSession, kind: AlarmKind, subject: str, all_clear: str, at: datetime, by: Actor | None = None
) -> Alarm | None:
    """End the alarm, and say why. Gives the alarm that stood; None where none did. Idempotent."""
    ended = delete(AlarmRow).where(_standing(kind, subject)).returning(AlarmRow)
    row = (await session.exec(ended)).scalars().first()
    if row is None:
        return None
    alarm = _as_alarm(row).model_copy(update={"cleared_at": at, "all_clear": all_clear, "cleared_by": by})
    await events.append(session, _event(EventKind.ALARM_CLEARED, alarm))
    return alarm


async def listed(
    session: AsyncSession,
    *,
    tenant: str | None = None,
    kind: AlarmKind | None = None,
    after: str | None = None,
    limit: int = 100,
) -> Page[Alarm]:
    """One part of those that stand, the newest first. Raises ``BadInputError``."""
    place = tuple_(col(AlarmRow.raised_at), col(AlarmRow.kind), col(AlarmRow.subject))
    statement = select(AlarmRow).order_by(*(column.desc() for column in place)).limit(limit + 1)
    if kind:
        statement = statement.where(col(AlarmRow.kind) == kind.value)
    if tenant:
        statement = statement.where(col(AlarmRow.tenant) == tenant)
    if after is not None:
        statement = statement.where(place < tuple_(*read_cursor(after, tuple[AwareDatetime, str, str])))
    found = (_as_alarm(row) for row in await session.exec(statement))
    return Page.of(found, limit, lambda alarm: (alarm.raised_at, alarm.kind, alarm.subject))


async def over(session: AsyncSession, *, tenant: str | None = None, limit: int = 100) -> list[Alarm]:
    """Those that are over, the last ones first."""
    wanted = {"tenant": tenant} if tenant else {}
    found = await events.newest(session, EventKind.ALARM_CLEARED, wanted, limit=limit, tenant=tenant)
    return [_as_cleared(event) for event in found]


async def of_request(session: AsyncSession, request_id: str) -> tuple[Alarm, ...]:
    """Everything that was ever alarmed about a grant, the oldest first."""
    over = await events.of_request(session, request_id, EventKind.ALARM_CLEARED)
    standing = await session.exec(select(AlarmRow).where(col(AlarmRow.request_id) == request_id))
    found = [*(_as_cleared(event) for event in over), *map(_as_alarm, standing)]
    return tuple(sorted(found, key=lambda alarm: alarm.raised_at))


async def count(session: AsyncSession) -> Counter[AlarmKind]:
    """How many stand of each kind."""
    statement = select(AlarmRow.kind, func.count()).group_by(col(AlarmRow.kind))
    return Counter({AlarmKind(kind): number for kind, number in await session.exec(statement)})


async def standing(session: AsyncSession, kinds: Sequence[AlarmKind], tenant: str) -> list[Alarm]:
    """What stands of these kinds in one tenant."""
    statement = select(AlarmRow).where(
        col(AlarmRow.tenant) == tenant,
        col(AlarmRow.kind).in_([kind.value for kind in kinds]),
    )
    return [_as_alarm(row) for row in await session.exec(statement)]


def _standing(kind: AlarmKind, subject: str) -> ColumnElement[bool]:
    return and_(col(AlarmRow.kind) == kind.value, col(AlarmRow.subject) == subject)


def _as_alarm(row: AlarmRow) -> Alarm:
    return Alarm.model_validate(row, from_attributes=True)


def _as_cleared(event: Event) -> Alarm:
    by = None if event.actor.is_same_as(ALARMS) else event.actor
    return Alarm.model_validate({**event.body, "cleared_by": by})


def _event(kind: EventKind, alarm: Alarm) -> NewEvent:
    body = alarm.model_dump(mode="json", exclude_none=True, exclude={"cleared_by"})
    if alarm.all_clear:
        body["all_clear"] = Written(alarm.all_clear)
    return NewEvent(kind, alarm.cleared_by or ALARMS, body, alarm.request_id, tenant=alarm.tenant)
