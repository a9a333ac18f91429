"""What was done for a grant, step by step. Each step is recorded once per attempt: the first record stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import Step
from models.tables import StepRow


async def record(session: AsyncSession, request_id: str, attempt: int, steps: Iterable[Step]) -> None:
    """Record the steps of one attempt; what stands already is left as it is."""
    rows = [
        {"request_id": request_id, "attempt": attempt, **step.model_dump(mode="json", exclude={"at"}), "at": step.at}
        for step in steps
    ]
    if rows:
        await session.exec(insert(StepRow).values(rows).on_conflict_do_nothing())


async def is_recorded(session: AsyncSession, request_id: str, attempt: int, name: str) -> bool:
    """Whether the step of this name was done in this attempt."""
    return await session.get(StepRow, (request_id, attempt, name)) is not None


async def of_request(session: AsyncSession, request_id: str) -> Sequence[StepRow]:
    """All steps of a request in the order in which they happened."""
    statement = select(StepRow).where(col(StepRow.request_id) == request_id).order_by(col(StepRow.at))
    return (await session.exec(statement)).all()
