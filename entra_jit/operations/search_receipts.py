"""Search the receipts of what is over."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import receipt_search
from entra_jit.ledger.receipt_search import FoundReceipt
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.paging import Page
from models.selections import Receipts


@asks(Verb.LIST_RECEIPTS)
async def search_receipts(
    actor: Actor, app: App, selection: Receipts, *, after: str | None = None, limit: int = 50
) -> Page[FoundReceipt]:
    """Late and unproven ones first, then the newest. ``after``: the cursor of a part that follows.

    Raises ``NotFoundError`` and ``BadInputError``.
    """
    async with app.ledger.transaction() as session:
        return await receipt_search.search(session, selection, after=after, limit=limit)
