"""What in the ledger needs an operator: what is stuck, and what has failed and was not taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, and_, or_, union
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import requests
from entra_jit.ledger.open_grants import is_not_proven_closed
from models.messages import GrantState
from models.tables import GrantRow, ReceiptRow, Request, Tenant


async def live(session: AsyncSession, tenant: Tenant | None = None) -> Sequence[tuple[Request, GrantRow]]:
    """Every grant that is not over, in ``tenant`` or in all, the oldest first."""
    statement = (
        select(Request, GrantRow)
        .join(GrantRow, col(GrantRow.request_id) == col(Request.id))
        .where(col(GrantRow.settled_at).is_(None), *_of(tenant))
        .order_by(col(Request.asked_at))
    )
    return (await session.exec(statement)).all()


async def ended_in_failure(
    session: AsyncSession, since: datetime, tenant: Tenant | None = None
) -> Sequence[tuple[Request, GrantRow | None, ReceiptRow]]:
    """What has failed, was refused by a step after the rules had allowed it, or is not proven closed, the oldest first.

    Left out is what needs no operator any more: it was replayed, its technician was allowed there again, or its account
    was proven closed later.
    """
    needing = needs_operator(since)
    statement = (
        select(Request, GrantRow, ReceiptRow)
        .join(needing, needing.c.request_id == col(Request.id))
        .join(ReceiptRow, col(ReceiptRow.request_id) == col(Request.id))
        .outerjoin(GrantRow, col(GrantRow.request_id) == col(Request.id))
        .where(*_of(tenant))
        .order_by(col(ReceiptRow.issued_at))
    )
    return (await session.exec(statement)).all()


def needs_operator(since: datetime) -> Subquery:
    """The ``request_id`` of each such request. A union, so that each half has an index of its own."""
    may_be_open = select(GrantRow.request_id).where(col(GrantRow.settled_at).is_not(None), is_not_proven_closed())
    failed = (
        select(ReceiptRow.request_id)
        .join(Request, col(Request.id) == col(ReceiptRow.request_id))
        .outerjoin(GrantRow, col(GrantRow.request_id) == col(ReceiptRow.request_id))
        .where(col(ReceiptRow.issued_at) >= since, _has_failed(), ~_was_replayed(), ~_was_allowed_again())
    )
    return union(may_be_open, failed).subquery()


def _has_failed() -> ColumnElement[bool]:
    ending = ReceiptRow.document["ending"]
    state = ending["state"].as_string()
    return or_(
        state == GrantState.FAILED,
        and_(state == GrantState.EXPIRED, ReceiptRow.document["opened_at"].as_string().is_(None)),
        and_(state == GrantState.DENIED, ending["failure"].as_string().is_not(None)),
    )


def _was_replayed() -> ColumnElement[bool]:
    replay = aliased(Request)
    return select(replay.id).where(col(replay.replay_of) == col(Request.id)).exists()


def _was_allowed_again() -> ColumnElement[bool]:
    """A request that was denied meanwhile, as while the failed one was parked, has made up for nothing."""
    later, granted = aliased(Request), aliased(GrantRow)
    return (
        select(granted.request_id)
        .join(later, col(later.id) == col(granted.request_id))
        .where(
            col(later.tenant_id) == col(Request.tenant_id),
            col(later.technician_id) == col(Request.technician_id),
            col(later.asked_at) > col(Request.asked_at),
        )
        .exists()
    )


async def last_of_line(session: AsyncSession, request: Request) -> Request:
    """The latest replay of a request, or of a replay of it, and so on; itself where it was never replayed."""
    line = [request]
    while True:
        replays = select(Request).where(col(Request.replay_of) == line[-1].id, col(Request.id).not_in(_ids(line)))
        found = (await session.exec(replays.order_by(col(Request.asked_at).desc()))).first()
        if found is None:
            return line[-1]
        line.append(found)


def _of(tenant: Tenant | None) -> list[ColumnElement[bool]]:
    return [or_(*requests.made_in(tenant))] if tenant else []


def _ids(requests: list[Request]) -> list[str]:
    return [request.id for request in requests]
