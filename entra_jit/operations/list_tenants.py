"""List the customers' tenants as an admin sees them."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import tenant_list
from entra_jit.ledger.tenant_list import PAGE, Tenants
from entra_jit.operations._asking import asks
from models.actor import Actor


@asks(Verb.LIST_TENANTS)
async def list_tenants(
    actor: Actor, app: App, *, search: str = "", after: str | None = None, limit: int = PAGE
) -> Tenants:
    """One page of the tenants of the configuration, and those that are connected and not in it yet.

    By the ledger alone. Raises ``BadInputError``.
    """
    async with app.ledger.transaction() as session:
        return await tenant_list.listed(session, search=search, after=after, limit=limit)
