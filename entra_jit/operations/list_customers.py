"""List the customers that a technician may ask for, and keep those that they want to see first."""

from __future__ import annotations

from uuid import UUID

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import customers
from entra_jit.ledger.customers import PAGE, Customers
from entra_jit.ledger.names import find_technician, find_tenant
from entra_jit.operations._asking import asks
from models.actor import Actor


@asks(Verb.LIST_CUSTOMERS)
async def list_customers(
    actor: Actor,
    app: App,
    *,
    technician: str,
    search: str = "",
    after: str | None = None,
    limit: int = PAGE,
) -> Customers:
    """One page of the customers of ``technician``: what is live first, then favourites, then recent.

    By the ledger alone: it works while Temporal is down. Raises ``NotFoundError`` or ``BadInputError``.
    """
    async with app.ledger.transaction() as session:
        whose = await find_technician(session, technician)
        return await customers.listed(session, whose, app.clock(), search=search, after=after, limit=limit)


@asks(Verb.KEEP_FAVOURITES)
async def set_favourite(actor: Actor, app: App, *, tenant: str, technician: str, wanted: bool = True) -> None:
    """Have the tenant among the technician's favourites, or not. Idempotent. Raises ``NotFoundError``."""
    async with app.ledger.transaction() as session:
        whose = await find_technician(session, technician)
        there = await find_tenant(session, tenant)
        await customers.set_favourite(session, UUID(whose.id), there.id, wanted=wanted)
