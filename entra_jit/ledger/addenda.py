"""What became known about grants after their receipts were written. A receipt never changes; it gets addenda."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, DateTime, SQLColumnExpression, cast
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import events, receipts
from entra_jit.ledger.events import NewEvent
from models.actor import WORKFLOW, Actor
from models.events import EventKind
from models.messages import Addendum, AddendumKind
from models.sweep import SweepFinding, merged
from models.tables import EventKeyRow, EventRow, ReceiptRow


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


def has_any(request_id: SQLColumnExpression[str], *kinds: AddendumKind) -> ColumnElement[bool]:
    """Whether the receipt of ``request_id`` has an addendum of one of these kinds."""
    return (
        select(EventKeyRow.key)
        .where(col(EventKeyRow.request_id) == request_id, col(EventKeyRow.key).in_([_key(kind) for kind in kinds]))
        .exists()
    )


def told_at(request_id: SQLColumnExpression[str], kind: AddendumKind) -> ColumnElement[datetime | None]:
    """When the addendum of this kind became known; NULL where there is none."""
    at = cast(col(EventRow.body)["at"].astext, DateTime(timezone=True))
    of_kind = col(EventRow.body)["kind"].astext == kind.value
    return (
        select(at)
        .where(col(EventRow.request_id) == request_id, col(EventRow.kind) == EventKind.ADDENDUM.value, of_kind)
        .correlate_except(EventRow)
        .scalar_subquery()
    )


def _key(kind: AddendumKind) -> str:
    return f"addendum {kind}"
