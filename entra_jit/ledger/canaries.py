"""The canary among the technicians, and its last run in a tenant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import statuses
from models.marks import CANARY_ID, CANARY_NAME
from models.messages import GrantStatus, Verdict
from models.tables import GrantRow, Request, Technician


async def ensure(session: AsyncSession) -> None:
    """Have the canary among the technicians, which its grants refer to. Idempotent."""
    row = {"id": UUID(CANARY_ID), "name": CANARY_NAME, "display_name": "the doctor's canary", "active": True}
    await session.exec(insert(Technician).values(row).on_conflict_do_nothing())


async def last_run(session: AsyncSession, tenant_id: UUID, at: datetime) -> GrantStatus | None:
    """How the last canary of the tenant that is over went; None: none is."""
    statement = (
        select(Request.id)
        .outerjoin(GrantRow, col(GrantRow.request_id) == col(Request.id))
        .where(
            col(Request.technician_id) == UUID(CANARY_ID),
            col(Request.tenant_id) == tenant_id,
            or_(col(GrantRow.settled_at).is_not(None), col(Request.verdict) == Verdict.DENIED),
        )
        .order_by(col(Request.asked_at).desc())
        .limit(1)
    )
    found = (await session.exec(statement)).first()
    return await statuses.of_request(session, found, at) if found else None
