"""What has become of grants.

The row is the lock: a partial unique index lets one row per technician and tenant be unclosed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import Grant, Proof
from models.tables import GrantRow, ReceiptRow, Request


@dataclass(frozen=True)
class ByNow:
    """What has become of a grant and of its account, by the ledger."""

    holder: str | None
    """The live grant of the same technician in the same tenant, which may be another one."""
    abandoned: bool
    """An operator has given up proving that it is closed."""


async def by_now(session: AsyncSession, grant: Grant) -> ByNow:
    """What has become of ``grant`` meanwhile."""
    proof = col(ReceiptRow.document)["proof"].astext
    statement = (
        select(GrantRow.request_id, proof)
        .outerjoin(ReceiptRow, col(ReceiptRow.request_id) == col(GrantRow.request_id))
        .where(
            col(GrantRow.tenant_id) == UUID(grant.tenant_id),
            col(GrantRow.technician_id) == UUID(grant.technician_id),
            or_(col(GrantRow.closed_at).is_(None), col(GrantRow.request_id) == grant.request_id),
        )
    )
    rows = (await session.exec(statement)).all()
    return ByNow(
        holder=next((request_id for request_id, proven in rows if proven is None), None),
        abandoned=(grant.request_id, Proof.ABANDONED.value) in [tuple(row) for row in rows],
    )


async def by_id(session: AsyncSession, request_id: str) -> GrantRow | None:
    """The grant, live or closed."""
    return await session.get(GrantRow, request_id)


async def listed(
    session: AsyncSession, *, tenant: str | None = None, technician: str | None = None, live_only: bool, limit: int
) -> Sequence[tuple[Request, GrantRow | None, ReceiptRow | None]]:
    """Requests with their grants and receipts, the newest first."""
    statement = (
        select(Request, GrantRow, ReceiptRow)
        .outerjoin(GrantRow, col(GrantRow.request_id) == col(Request.id))
        .outerjoin(ReceiptRow, col(ReceiptRow.request_id) == col(Request.id))
        .order_by(col(Request.asked_at).desc())
        .limit(limit)
    )
    if tenant:
        statement = statement.where(col(Request.tenant) == tenant)
    if technician:
        statement = statement.where(col(Request.technician) == technician)
    if live_only:
        statement = statement.where(col(GrantRow.request_id).is_not(None), col(GrantRow.closed_at).is_(None))
    return (await session.exec(statement)).all()
