"""Every grant that is not proven closed, overdue ones first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, and_, case, func, literal_column, tuple_
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import grants, statuses, texts
from entra_jit.ledger.names import find_technician, find_tenant
from models.messages import LATE, GrantStatus
from models.paging import Page, read_cursor
from models.selections import OpenGrants, OpenState
from models.tables import GrantRow, Request

_NEVER: ColumnElement[datetime] = literal_column("'infinity'::timestamptz")


@dataclass(frozen=True)
class OpenGrant:
    """A grant that is not proven closed, with what was asked."""

    status: GrantStatus
    reason: str
    ticket: str | None
    asked_at: datetime
    due_at: datetime | None
    """From when its account should be closed; None: nothing has fixed that yet, or it is parked."""
    is_overdue: bool


async def listed(
    session: AsyncSession, selection: OpenGrants, at: datetime, *, after: str | None, limit: int
) -> Page[OpenGrant]:
    """One part of the list at ``at``. Raises ``NotFoundError`` and ``BadInputError``."""
    due_at = _due_at()
    statement = (
        grants.with_receipts()
        .where(col(GrantRow.request_id).is_not(None), is_not_proven_closed(), *await _selected(session, selection, at))
        .order_by(due_at, col(GrantRow.request_id))
        .limit(limit + 1)
    )
    if after is not None:
        since, request_id = read_cursor(after, tuple[AwareDatetime | None, str])
        statement = statement.where(tuple_(due_at, col(GrantRow.request_id)) > tuple_(since or _NEVER, request_id))
    rows = (await session.exec(statement)).all()
    found = [
        _open_grant(request, grant, status, at)
        for (request, grant, _), status in zip(rows, await statuses.of_requests(session, rows, at), strict=True)
    ]
    return Page.of(found, limit, lambda one: (one.due_at, one.status.request_id))


def is_not_proven_closed() -> ColumnElement[bool]:
    """Whether the account of a grant may be open, or may come to be."""
    return col(GrantRow.closed_at).is_(None)


def is_overdue(at: datetime) -> ColumnElement[bool]:
    """Whether the account of a grant that is not proven closed should be so by ``at``."""
    return _due_at() <= at - LATE


def _due_at() -> ColumnElement[datetime]:
    """From when the account should be closed. A parked grant's is; one that is prepared is not open yet."""
    due_at = func.least(GrantRow.expires_at, GrantRow.closing_at)
    return func.coalesce(case((col(GrantRow.parked_at).is_(None), due_at)), _NEVER)


async def _selected(session: AsyncSession, selection: OpenGrants, at: datetime) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if selection.tenant is not None:
        wanted.append(col(GrantRow.tenant_id) == (await find_tenant(session, selection.tenant)).id)
    if selection.technician is not None:
        technician = await find_technician(session, selection.technician)
        wanted.append(col(GrantRow.technician_id) == UUID(technician.id))
    if selection.ticket is not None:
        wanted.append(col(GrantRow.request_id).in_(texts.requests_of_ticket(selection.ticket)))
    if selection.state is not None:
        wanted.append(_is_in(selection.state, at))
    return wanted


def _is_in(state: OpenState, at: datetime) -> ColumnElement[bool]:
    """As ``entra_jit.ledger.rows.state_of`` tells it."""
    parked, closing = col(GrantRow.parked_at).is_not(None), col(GrantRow.closing_at).is_not(None)
    opened = col(GrantRow.opened_at).is_not(None)
    return {
        OpenState.OVERDUE: is_overdue(at),
        OpenState.PARKED: parked,
        OpenState.CLOSING: and_(~parked, closing),
        OpenState.OPEN: and_(~parked, ~closing, opened),
        OpenState.PREPARING: and_(~parked, ~closing, ~opened),
    }[state]


def _open_grant(request: Request, grant: GrantRow, status: GrantStatus, at: datetime) -> OpenGrant:
    moments = [moment for moment in (grant.expires_at, grant.closing_at) if moment and not grant.parked_at]
    due_at = min(moments, default=None)
    return OpenGrant(
        status=status,
        reason=request.reason,
        ticket=request.ticket,
        asked_at=request.asked_at,
        due_at=due_at,
        is_overdue=due_at is not None and due_at <= at - LATE and status.closed_at is None,
    )
