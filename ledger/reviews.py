"""Which grants the directory's audit has still to be read for, and until when it tells of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import Receipt, TenantId, TenantToReconcile
from models.tables import AddendumRow, GrantRow, ReceiptRow, Tenant
from policy.review import FORGOTTEN_AFTER, SPANS, Span


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
    statement = select(Tenant).join(GrantRow, col(GrantRow.tenant_id) == col(Tenant.id)).where(any_span).distinct()
    rows = await session.exec(statement.order_by(col(Tenant.name)))
    return [TenantToReconcile(id=TenantId(str(row.id)), name=row.name) for row in rows]


async def due(session: AsyncSession, tenant_id: TenantId, at: datetime, limit: int) -> Sequence[Due]:
    """What is due in one tenant, the oldest first."""
    later = aliased(GrantRow)
    next_opened_at = (
        select(func.min(later.opened_at))
        .where(
            later.tenant_id == GrantRow.tenant_id,
            later.technician_id == GrantRow.technician_id,
            col(later.opened_at) > col(GrantRow.closed_at),
        )
        .scalar_subquery()
    )
    found: list[Due] = []
    for span in SPANS:
        statement = (
            select(GrantRow, ReceiptRow, next_opened_at)
            .join(ReceiptRow, col(ReceiptRow.request_id) == col(GrantRow.request_id))
            .where(col(GrantRow.tenant_id) == UUID(tenant_id), _is_due(span, at))
            .order_by(col(GrantRow.closed_at))
            .limit(limit)
        )
        for grant, row, following in await session.exec(statement):
            if grant.armed_at and grant.closed_at:
                receipt = Receipt.model_validate(row.document)
                found.append(Due(receipt, grant.opened_at or grant.armed_at, grant.closed_at, span, following))
    return sorted(found, key=lambda one: one.closed_at)[:limit]


def _is_due(span: Span, at: datetime) -> ColumnElement[bool]:
    has_addendum = (
        select(AddendumRow.request_id)
        .where(
            col(AddendumRow.request_id) == col(GrantRow.request_id),
            col(AddendumRow.kind) == span.kind.value,
        )
        .exists()
    )
    return and_(
        col(GrantRow.armed_at).is_not(None),  # whose opening was never answered may have been opened all the same
        col(GrantRow.closed_at) <= at - span.due_after,
        col(GrantRow.closed_at) > at - FORGOTTEN_AFTER,
        ~has_addendum,
    )
