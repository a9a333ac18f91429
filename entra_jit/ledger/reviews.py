"""Which grants the directory's audit has still to be read for, and until when it tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import addenda, receipts
from entra_jit.policy.review import FORGOTTEN_AFTER, SPANS, Span
from models.messages import Proof, Receipt, TenantId, TenantToReconcile
from models.tables import GrantRow, ReceiptRow, Tenant


@dataclass(frozen=True)
class Due:
    """A grant that is over, and what of the audit is to be read for it."""

    receipt: Receipt
    opened_at: datetime
    closed_at: datetime
    span: Span
    next_opened_at: datetime | None
    """When the same account was opened for a later grant: from there on it is that one's."""


async def tenants(session: AsyncSession, at: datetime) -> list[TenantToReconcile]:
    """The tenants in which anything is due."""
    any_span = or_(*(_is_due(span, at) for span in SPANS))
    statement = (
        select(Tenant)
        .join(GrantRow, col(GrantRow.tenant_id) == col(Tenant.id))
        .where(any_span)
        .distinct()
        .order_by(col(Tenant.name))
    )
    rows = await session.exec(statement)
    return [TenantToReconcile(id=TenantId(str(row.id)), name=row.name) for row in rows]


async def due(session: AsyncSession, tenant_id: TenantId, at: datetime, limit: int) -> Sequence[Due]:
    """What is due in one tenant, the oldest first."""
    later = aliased(GrantRow)
    found: list[Due] = []
    for span in SPANS:
        first = (
            select(col(GrantRow.request_id), _shut_at().label("shut_at"))
            .where(col(GrantRow.tenant_id) == UUID(tenant_id), _is_due(span, at))
            .order_by("shut_at")
            .limit(limit)
            .subquery()
        )
        next_opened_at = (
            select(func.min(later.opened_at))
            .where(
                later.tenant_id == GrantRow.tenant_id,
                later.technician_id == GrantRow.technician_id,
                col(later.opened_at) > first.c.shut_at,
            )
            .scalar_subquery()
        )
        statement = (
            select(GrantRow, ReceiptRow, first.c.shut_at, next_opened_at)
            .join(first, first.c.request_id == col(GrantRow.request_id))
            .join(ReceiptRow, col(ReceiptRow.request_id) == col(GrantRow.request_id))
            .order_by(first.c.shut_at)
        )
        rows = (await session.exec(statement)).all()
        written = await receipts.of_rows(session, (row for _, row, *_ in rows))
        for grant, row, closed_at, following in rows:
            if grant.armed_at and closed_at:
                receipt = written[row.request_id]
                found.append(Due(receipt, grant.opened_at or grant.armed_at, closed_at, span, following))
    return sorted(found, key=lambda one: one.closed_at)[:limit]


def _shut_at() -> ColumnElement[datetime | None]:
    """When a grant's account was shut, or had gone. One that may be open is not shut until it is proven closed."""
    proof = (
        select(col(ReceiptRow.document)["proof"].astext)
        .where(col(ReceiptRow.request_id) == col(GrantRow.request_id))
        .correlate(GrantRow)
        .scalar_subquery()
    )
    return case(
        # As of nearly all grants, whose receipts need not be read for this.
        (col(GrantRow.closed_at) == col(GrantRow.settled_at), col(GrantRow.closed_at)),
        (proof == Proof.VANISHED.value, col(GrantRow.settled_at)),
        else_=col(GrantRow.closed_at),
    )


def _is_due(span: Span, at: datetime) -> ColumnElement[bool]:
    shut_at = _shut_at()
    return and_(
        col(GrantRow.armed_at).is_not(None),  # whose opening was never answered may have been opened all the same
        shut_at <= at - span.due_after,
        shut_at > at - FORGOTTEN_AFTER,
        # Never earlier than the moment above, and in an index: what was over before is not even looked at.
        func.coalesce(GrantRow.closed_at, GrantRow.settled_at) > at - FORGOTTEN_AFTER,
        ~addenda.has(col(GrantRow.request_id), span.kind),
    )
