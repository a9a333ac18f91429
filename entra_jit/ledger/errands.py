"""What came of the errands that the portal gave to workers, for as long as the portal may still ask.

Not in Temporal: where histories are sealed, the portal cannot open them.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import ErrandOutcome
from models.tables import ErrandRow

KEPT = timedelta(days=1)


async def enter(session: AsyncSession, errand_id: str, outcome: ErrandOutcome) -> None:
    """Keep the outcome; the first one stands. What is older than a day goes."""
    await session.exec(delete(ErrandRow).where(col(ErrandRow.done_at) < func.now() - KEPT))
    row = {"id": errand_id, "outcome": outcome.model_dump(mode="json")}
    await session.exec(insert(ErrandRow).values(row).on_conflict_do_nothing())


async def find(session: AsyncSession, errand_id: str) -> ErrandOutcome | None:
    """None: it is not done yet."""
    row = await session.get(ErrandRow, errand_id)
    return ErrandOutcome.model_validate(row.outcome) if row else None
