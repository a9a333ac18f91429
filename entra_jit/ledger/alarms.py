"""Alarms: raised once for as long as they stand, and ended by an all-clear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import receipts
from models.actor import Actor
from models.alarms import Alarm, AlarmKind
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
    values = alarm.model_dump(exclude={"kind"}) | {"kind": alarm.kind.value}
    inserted = insert(AlarmRow).values(values).on_conflict_do_nothing().returning(col(AlarmRow.id))
    if (await session.exec(inserted)).first() is not None:
        return True
    await session.exec(update(AlarmRow).where(_standing(alarm.kind, alarm.subject)).values(sentence=alarm.sentence))
    return False


async def clear(
    session: AsyncSession, kind: AlarmKind, subject: str, all_clear: str, at: datetime, by: Actor | None = None
) -> Alarm | None:
    """End the alarm, and say why. Gives the alarm that stood; None where none did. Idempotent."""
    ended = (
        update(AlarmRow)
        .where(_standing(kind, subject))
        .values(cleared_at=at, all_clear=all_clear, cleared_by=by)
        .returning(AlarmRow)
    )
    row = (await session.exec(ended)).scalars().first()
    return _as_alarm(row) if row else None


async def listed(
    session: AsyncSession,
    *,
    tenant: str | None = None,
    kind: AlarmKind | None = None,
    standing_only: bool = True,
    limit: int = 100,
) -> list[Alarm]:
    """The newest first."""
    statement = select(AlarmRow).order_by(col(AlarmRow.raised_at).desc()).limit(limit)
    if standing_only:
        statement = statement.where(col(AlarmRow.cleared_at).is_(None))
    if kind:
        statement = statement.where(col(AlarmRow.kind) == kind.value)
    if tenant:
        statement = statement.where(col(AlarmRow.tenant) == tenant)
    return [_as_alarm(row) for row in await session.exec(statement)]


async def of_request(session: AsyncSession, request_id: str) -> tuple[Alarm, ...]:
    """Everything that was ever alarmed about a grant, the oldest first."""
    statement = select(AlarmRow).where(col(AlarmRow.request_id) == request_id).order_by(col(AlarmRow.raised_at))
    return tuple(_as_alarm(row) for row in await session.exec(statement))


async def count(session: AsyncSession) -> Counter[AlarmKind]:
    """How many stand of each kind."""
    statement = (
        select(AlarmRow.kind, func.count()).where(col(AlarmRow.cleared_at).is_(None)).group_by(col(AlarmRow.kind))
    )
    return Counter({AlarmKind(kind): number for kind, number in await session.exec(statement)})


async def standing(session: AsyncSession, kinds: Sequence[AlarmKind], tenant: str) -> list[Alarm]:
    """What stands of these kinds in one tenant."""
    statement = select(AlarmRow).where(
        col(AlarmRow.tenant) == tenant,
        col(AlarmRow.kind).in_([kind.value for kind in kinds]),
        col(AlarmRow.cleared_at).is_(None),
    )
    return [_as_alarm(row) for row in await session.exec(statement)]


def _standing(kind: AlarmKind, subject: str) -> ColumnElement[bool]:
    return and_(col(AlarmRow.kind) == kind.value, col(AlarmRow.subject) == subject, col(AlarmRow.cleared_at).is_(None))


def _as_alarm(row: AlarmRow) -> Alarm:
    return Alarm.model_validate(row, from_attributes=True)
