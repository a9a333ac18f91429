"""What became known about grants after their receipts were written. A receipt never changes; it gets addenda."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, SQLColumnExpression, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import events, receipts
from entra_jit.ledger.events import NewEvent
from models.actor import WORKFLOW, Actor
from models.events import EventKind
from models.messages import Addendum, AddendumKind
from models.sweep import SweepFinding, merged
from models.tables import EventKeyRow, GrantRow, ReceiptRow

PROOFS = frozenset({AddendumKind.CLOSED_LATER, AddendumKind.PURGED})
"""After these the account of a grant that ended unproven is closed."""


async def add(session: AsyncSession, request_id: str, addendum: Addendum) -> bool:
    """Add to a receipt, one of a kind: the first stands. False: it stands already, or there is no receipt."""
    if await session.get(ReceiptRow, request_id) is None:
        return False
    event = NewEvent(
        EventKind.ADDENDUM,
        WORKFLOW,
        addendum.model_dump(mode="json"),
        request_id,
        once=_key(addendum.kind),
    )
    if addendum.kind in PROOFS:
        closed = update(GrantRow).where(col(GrantRow.request_id) == request_id, col(GrantRow.closed_at).is_(None))
        await session.exec(closed.values(closed_at=addendum.at))
    return bool(await events.append(session, event))


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
    found = await events.of_request(session, request_id, EventKind.ADDENDUM)
    return tuple(sorted((Addendum.model_validate(event.body) for event in found), key=lambda addendum: addendum.at))


def has(request_id: SQLColumnExpression[str], kind: AddendumKind) -> ColumnElement[bool]:
    """Whether the receipt of ``request_id`` has an addendum of this kind."""
    return (
        select(EventKeyRow.key)
        .where(col(EventKeyRow.request_id) == request_id, col(EventKeyRow.key) == _key(kind))
        .exists()
    )


def _key(kind: AddendumKind) -> str:
    return f"addendum {kind}"
