"""List what keeps access from being opened."""

from __future__ import annotations

from entra_jit.ledger import holds
from entra_jit.operations.deployment import Deployment
from models.holds import Hold


async def list_holds(deployment: Deployment) -> list[Hold]:
    """The pauses and stops in force, stops first, then the oldest. Needs the ledger alone."""
    async with deployment.ledger.transaction() as session:
        return await holds.in_force(session)
