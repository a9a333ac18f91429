"""Count what needs attention."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import attention
from entra_jit.ledger.attention import Attention
from entra_jit.operations._asking import asks
from entra_jit.operations.list_failures import Selection
from models.actor import Actor

__all__ = ["Attention", "count_attention"]


@asks(Verb.LIST_GRANTS)
async def count_attention(actor: Actor, app: App) -> Attention:
    """How much is open, overdue, parked, failed in the last day, alarmed and held. One statement of the ledger."""
    async with app.ledger.transaction() as session:
        return await attention.count(session, app.clock(), app.clock() - Selection.since)
