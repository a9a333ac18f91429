"""Pauses and stops: placed, lifted, and looked up by everything that widens access. Closing never looks here."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import events, texts
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.texts import Written
from models.actor import Actor
from models.events import EventKind
from models.holds import Hold, HoldKind
from models.messages import TechnicianId, TenantId
from models.tables import GrantRow, HoldRow, Technician, Tenant

STOPPING = 0x53544F50
"""The key of PostgreSQL's advisory lock that a stop takes alone, and that all who decide requests share."""


async def let_no_stop_come_between(session: AsyncSession) -> None:
    """Until the transaction ends, no stop begins: a request is decided before it, and fenced by it, or after it.

    A grant that is made while the stop looks for those that live would be in neither's sight.
    """
    await session.exec(select(func.pg_advisory_xact_lock_shared(STOPPING)))


async def place(
    session: AsyncSession,
    kind: HoldKind,
    *,
    tenant_id: UUID | None = None,
    technician_id: UUID | None = None,
    by: Actor,
    reason: str,
    at: datetime,
) -> Hold:
    """Hold from now on. One of the same kind and scope that is in force already stands as it is, and is given.

    A stop waits for the requests that are just being decided, so that its caller sees their grants.
    """
    if kind is HoldKind.STOP:
        await session.exec(select(func.pg_advisory_xact_lock(STOPPING)))
    written = texts.Collected()
    because = written.apart(Written(reason, technician_id))
    values = {
        "kind": kind.value,
        "tenant_id": tenant_id,
        "technician_id": technician_id,
        "since": at,
        "by": by,
        "because_text": because,
    }
    placed = await session.exec(insert(HoldRow).values(values).on_conflict_do_nothing().returning(col(HoldRow.id)))
    if placed.first() is not None:
        await texts.keep(session, written)
        body = {"kind": kind, "technician_id": technician_id, "since": at, "reason": because}
        await events.append(session, NewEvent(EventKind.HOLD_PLACED, by, body, tenant_id=tenant_id))
    return next(
        hold
        for hold in await in_force(session)
        if (hold.kind, hold.tenant_id, hold.technician_id) == (kind, _text(tenant_id), _text(technician_id))
    )


async def lift(
    session: AsyncSession,
    kind: HoldKind,
    *,
    tenant_id: UUID | None = None,
    technician_id: UUID | None = None,
    by: Actor,
    at: datetime,
) -> bool:
    """Lift the hold of exactly this scope; False where there is none in force."""
    lifted = await session.exec(
        update(HoldRow)
        .where(
            col(HoldRow.kind) == kind.value,
            col(HoldRow.tenant_id).is_not_distinct_from(tenant_id),
            col(HoldRow.technician_id).is_not_distinct_from(technician_id),
            col(HoldRow.lifted_at).is_(None),
        )
        .values(lifted_at=at, lifted_by=by)
    )
    if not lifted.rowcount:
        return False
    body = {"kind": kind, "technician_id": technician_id}
    await events.append(session, NewEvent(EventKind.HOLD_LIFTED, by, body, tenant_id=tenant_id))
    return True


async def in_force(session: AsyncSession) -> list[Hold]:
    """Every hold that was not lifted, stops first, then the oldest."""
    return await _found(session)


async def over(session: AsyncSession, tenant_id: UUID, technician_id: UUID) -> Hold | None:
    """What holds this technician's access to this tenant: a stop before a pause; None: nothing does."""
    return next(iter(await _found(session, tenant_id, technician_id)), None)


async def stop_over(session: AsyncSession, tenant_id: UUID, technician_id: UUID) -> Hold | None:
    """The emergency stop in force for this technician's access to this tenant, if there is one."""
    held = await over(session, tenant_id, technician_id)
    return held if held is not None and held.kind is HoldKind.STOP else None


async def stop_over_grant(session: AsyncSession, request_id: str) -> Hold | None:
    """The emergency stop in force over a live grant, if there is one; None for a grant that is over or unknown."""
    grant = await session.get(GrantRow, request_id)
    if grant is None or grant.settled_at is not None:
        return None
    return await stop_over(session, grant.tenant_id, grant.technician_id)


async def _found(session: AsyncSession, tenant_id: UUID | None = None, technician_id: UUID | None = None) -> list[Hold]:
    statement = (
        select(HoldRow, Tenant.name, Technician.name)
        .outerjoin(Tenant, col(Tenant.id) == col(HoldRow.tenant_id))
        .outerjoin(Technician, col(Technician.id) == col(HoldRow.technician_id))
        .where(col(HoldRow.lifted_at).is_(None))
        .order_by(col(HoldRow.kind).desc(), col(HoldRow.since))
    )
    for column, wanted in ((col(HoldRow.tenant_id), tenant_id), (col(HoldRow.technician_id), technician_id)):
        if wanted is not None:
            statement = statement.where(or_(column.is_(None), column == wanted))
    return [as_hold(*row) for row in await session.exec(statement)]


def as_hold(row: HoldRow, tenant: str | None, technician: str | None) -> Hold:
    """The hold, with the names of the tenant and the technician whom it may be about."""
    return Hold(
        kind=HoldKind(row.kind),
        tenant_id=TenantId(str(row.tenant_id)) if row.tenant_id else None,
        tenant=tenant if row.tenant_id else None,
        technician_id=TechnicianId(str(row.technician_id)) if row.technician_id else None,
        technician=technician if row.technician_id else None,
        since=row.since,
        by=row.by,
        reason=row.because,
    )


def _text(key: UUID | None) -> str | None:
    return str(key) if key else None
