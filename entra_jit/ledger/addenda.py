"""What became known about grants after their receipts were written. A receipt never changes; it gets addenda."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import receipts
from models.actor import Actor
from models.messages import Addendum, AddendumKind
from models.sweep import SweepFinding, merged
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


async def add_found_beside(
    session: AsyncSession, request_id: str, by: Actor, findings: Sequence[SweepFinding], at: datetime
) -> None:
    """Add what ``by`` took from the account, where the receipt was written before and does not tell it. Idempotent.

    Of a grant that ended unproven it is told when its account is proven closed later.
    """
    receipt = await receipts.of_request(session, request_id, lock=True)
    if receipt is None or not receipt.proof.is_proven:
        return
    if untold := merged(receipt.findings, findings)[len(receipt.findings) :]:
        sentence = f"While it was closed, {by} took this from the account."
        await add(
            session, request_id, Addendum(kind=AddendumKind.CLOSED_BESIDE, at=at, sentence=sentence, findings=untold)
        )


async def of_request(session: AsyncSession, request_id: str) -> tuple[Addendum, ...]:
    """In the order in which they became known."""
    statement = select(AddendumRow).where(col(AddendumRow.request_id) == request_id).order_by(col(AddendumRow.at))
    return tuple(Addendum.model_validate(row.document) for row in await session.exec(statement))
