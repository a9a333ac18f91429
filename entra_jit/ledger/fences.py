"""Fencing grants, one or many: from then on, nothing of theirs opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, update
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import events
from entra_jit.ledger.accounts import its_account
from entra_jit.ledger.configuration import tenant_terms, terms_of
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.rows import as_grant, object_id
from entra_jit.policy.leases import lease_end
from entra_jit.policy.rules.parties import departed
from models.actor import WORKFLOW, Actor
from models.events import EventKind
from models.messages import Fence, Grant, GrantState, ObjectId
from models.tables import GrantRow, ManagedAccount, Request, Technician, Tenant


@dataclass(frozen=True)
class Fenced:
    """A live grant that nothing is opened for any more, and what closing its account takes."""

    grant: Grant
    object_id: ObjectId | None
    mark: str | None
    """The signed open-until mark that the ledger keeps of it; None: it was not armed."""
    fenced_at: datetime
    lease_until: datetime | None
    opened_at: datetime | None
    is_parked: bool
    """Its account was closed when it was parked."""
    is_abandoned: bool = False
    """It has a receipt, which says that nothing proves it closed."""


async def fence(session: AsyncSession, request_id: str, at: datetime, lease: timedelta) -> Fence:
    """No opening of this grant passes the admission check from here on. Idempotent.

    A grant that a ledger restored from an old backup has lost is none that the admission check lets pass, either; what
    was let pass before may be under way for a whole ``lease``.
    """
    row = await session.get(GrantRow, request_id, with_for_update=True)
    if row is None:
        return Fence(lease_until=at + lease)
    if row.closing_at is None:
        row.closing_at = at
        session.add(row)
        await events.append(session, _began(request_id, row.tenant_id, WORKFLOW))
    return Fence(lease_until=lease_end(row.lease_until, row.closing_at, at))


async def fence_all(
    session: AsyncSession,
    at: datetime,
    by: Actor,
    *,
    tenant_id: UUID | None = None,
    technician_id: UUID | None = None,
    request_id: str | None = None,
) -> list[Fenced]:
    """Fence every live grant, of one tenant or technician where that is said, or one alone. Idempotent.

    Those that were abandoned are among them until their account is proven closed.
    """
    scope = _live(tenant_id, technician_id)
    scope += [col(GrantRow.request_id) == request_id] if request_id else []
    began = await session.exec(
        update(GrantRow)
        .where(*scope, col(GrantRow.closing_at).is_(None))
        .values(closing_at=at)
        .returning(col(GrantRow.request_id), col(GrantRow.tenant_id))
    )
    await events.append(session, *(_began(fenced, tenant, by) for fenced, tenant in began))
    statement = (
        select(GrantRow, Request, ManagedAccount)
        .join(Request, col(Request.id) == col(GrantRow.request_id))
        .outerjoin(ManagedAccount, its_account())
        .where(*scope)
        .order_by(col(GrantRow.request_id))
    )
    return [_fenced(row, request, account, at) for row, request, account in await session.exec(statement)]


async def count_live(
    session: AsyncSession, *, tenant_id: UUID | None = None, technician_id: UUID | None = None
) -> tuple[int, int]:
    """How many grants ``fence_all`` would fence, and in how many tenants."""
    numbers = select(func.count(), func.count(func.distinct(GrantRow.tenant_id)))
    return (await session.exec(numbers.where(*_live(tenant_id, technician_id)))).one()


def _live(tenant_id: UUID | None, technician_id: UUID | None) -> list[ColumnElement[bool]]:
    may_be_open = and_(col(GrantRow.ending) == GrantState.ABANDONED.value, col(GrantRow.closed_at).is_(None))
    scope: list[ColumnElement[bool]] = [or_(col(GrantRow.settled_at).is_(None), may_be_open)]
    scope += [col(GrantRow.tenant_id) == tenant_id] if tenant_id else []
    scope += [col(GrantRow.technician_id) == technician_id] if technician_id else []
    return scope


def _fenced(row: GrantRow, request: Request, account: ManagedAccount | None, at: datetime) -> Fenced:
    return Fenced(
        grant=as_grant(request, row),
        object_id=object_id(account),
        mark=row.mark,
        fenced_at=row.closing_at or at,
        lease_until=lease_end(row.lease_until, row.closing_at, at),
        opened_at=row.opened_at,
        is_parked=row.parked_at is not None,
        is_abandoned=row.settled_at is not None,
    )


async def fence_departed(session: AsyncSession, at: datetime, by: Actor) -> dict[str, str]:
    """Fence every live grant whose technician or tenant the configuration no longer has. Idempotent.

    Gives the grants' ids, each with the sentence that says who has left.
    """
    statement = (
        select(GrantRow, Tenant, Technician)
        .join(Tenant, col(Tenant.id) == col(GrantRow.tenant_id))
        .join(Technician, col(Technician.id) == col(GrantRow.technician_id))
        .where(col(GrantRow.settled_at).is_(None), or_(~col(Tenant.active), ~col(Technician.active)))
        .with_for_update(of=GrantRow)
    )
    fenced: dict[str, str] = {}
    began: list[NewEvent] = []
    for row, tenant, technician in await session.exec(statement):
        why = departed(tenant_terms(tenant), terms_of(technician)) or ""
        if row.closing_at is None:
            row.closing_at = at
            session.add(row)
            began.append(_began(row.request_id, row.tenant_id, by, why))
        fenced[row.request_id] = why
    await events.append(session, *began)
    return fenced


def _began(request_id: str, tenant_id: UUID, by: Actor, because: str | None = None) -> NewEvent:
    return NewEvent(EventKind.CLOSING_BEGAN, by, {"because": because}, request_id, tenant_id)
