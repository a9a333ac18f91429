"""What became known about grants after their receipts were written. A receipt never changes; it gets addenda."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import Addendum
from models.tables import AddendumRow, ReceiptRow


async def add(session: AsyncSession, request_id: str, addendum: Addendum) -> bool:
    """Add to a receipt, one of a kind: the first stands. False: it stands already, or there is no receipt."""
    if await session.get(ReceiptRow, request_id) is None:
        return False
    values = {
        "request_id": request_id,
        "kind": addendum.kind.value,
        "at": addendum.at,
        "document": addendum.model_dump(mode="json"),
    }
    inserted = insert(AddendumRow).values(values).on_conflict_do_nothing().returning(col(AddendumRow.kind))
    return (await session.exec(inserted)).first() is not None


async def of_request(session: AsyncSession, request_id: str) -> tuple[Addendum, ...]:
    """In the order in which they became known."""
    statement = select(AddendumRow).where(col(AddendumRow.request_id) == request_id).order_by(col(AddendumRow.at))
    return tuple(Addendum.model_validate(row.document) for row in await session.exec(statement))
