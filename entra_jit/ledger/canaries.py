"""The canary among the technicians, its last run in a tenant, and whether it could sign in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import events, statuses
from entra_jit.ledger.events import NewEvent
from models.actor import DOCTOR
from models.events import EventKind
from models.marks import CANARY_ID, CANARY_NAME
from models.messages import GrantStatus, SignInAttempt, Verdict
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


async def tried(session: AsyncSession, request_id: str, attempt: SignInAttempt) -> bool:
    """Enter how the canary's sign-in went. False: its closing has begun meanwhile, so that it says nothing."""
    grant = await session.get(GrantRow, request_id, with_for_update=True)
    if grant is None or grant.closing_at is not None:
        return False
    await events.append(session, NewEvent(EventKind.CANARY_TRIED, DOCTOR, attempt.model_dump(mode="json"), request_id))
    return True


async def last_attempt(session: AsyncSession, request_id: str) -> SignInAttempt | None:
    """How its sign-in went; None: it was not entered."""
    found = await events.of_request(session, request_id, EventKind.CANARY_TRIED)
    return SignInAttempt.model_validate(found[-1].body) if found else None
