"""Parking a grant whose provisioning was refused, and taking it up again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import events, holds
from entra_jit.ledger.admission import GrantOverError
from entra_jit.ledger.events import NewEvent
from models.actor import WORKFLOW, Actor
from models.events import EventKind
from models.messages import FailureType, GrantRef
from models.tables import GrantRow


async def park(
    session: AsyncSession, request_id: str, because: str, at: datetime, failure: FailureType | None = None
) -> None:
    """Provisioning was refused for good, and the account is closed: wait for an operator. Keeps lock and fence."""
    parked = await session.exec(
        update(GrantRow)
        .where(col(GrantRow.request_id) == request_id, col(GrantRow.settled_at).is_(None))
        .values(
            parked_at=at,
            parked_because=because,
            failure=failure.value if failure else None,
            closing_at=func.coalesce(GrantRow.closing_at, at),
        )
        .returning(col(GrantRow.attempt))
    )
    body = {"because": because, "failure": failure, "at": at}
    await events.append(
        session,
        *(
            NewEvent(EventKind.PARKED, WORKFLOW, body, request_id, once=f"parked {attempt}")
            for attempt in parked.scalars()
        ),
    )


async def unpark(session: AsyncSession, ref: GrantRef, at: datetime, *, by: Actor) -> GrantRef:
    """Try a parked grant again, as its next attempt: lifts the fence. A repeated call gives the same attempt.

    ``by``: who asked for it.

    Raises ``GrantOverError`` when the grant has ended, is not parked, or its window is over.
    """
    row = await session.get(GrantRow, ref.request_id, with_for_update=True)
    if row is None:
        raise GrantOverError(f"the ledger knows no grant {ref.request_id}")
    if row.settled_at is None and row.closing_at is None and row.attempt == ref.attempt + 1:
        return GrantRef(request_id=ref.request_id, attempt=row.attempt)
    if row.settled_at is not None or row.parked_at is None or row.attempt != ref.attempt:
        raise GrantOverError(f"the grant {ref.request_id} is not parked any more")
    if at >= row.window_ends_at:
        raise GrantOverError(f"the window of the grant {ref.request_id} is over")
    if stop := await holds.stop_over(session, row.tenant_id, row.technician_id):
        raise GrantOverError(stop.sentence)
    row.attempt += 1
    row.parked_at = row.parked_because = row.failure = row.closing_at = row.taken_at = row.disabled_at = None
    session.add(row)
    body = {"attempt": row.attempt, "at": at}
    await events.append(session, NewEvent(EventKind.RETRIED, by, body, row.request_id, row.tenant_id))
    return GrantRef(request_id=ref.request_id, attempt=row.attempt)
