"""List what keeps access from being opened."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import holds
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.holds import Hold


@asks(Verb.LIST_HOLDS)
async def list_holds(actor: Actor, app: App) -> list[Hold]:
    """The pauses and stops in force, stops first, then the oldest. Needs the ledger alone."""
    async with app.ledger.transaction() as session:
        return await holds.in_force(session)
