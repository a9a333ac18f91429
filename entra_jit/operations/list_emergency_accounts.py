"""List the emergency accounts, and when each was last known to work."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import emergency_views
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.messages import EmergencyAccountView
from models.paging import Page


@asks(Verb.LIST_EMERGENCY_ACCOUNTS)
async def list_emergency_accounts(
    actor: Actor,
    app: App,
    tenant: str | None = None,
    *,
    search: str | None = None,
    revealed_only: bool = False,
    after: str | None = None,
    limit: int | None = None,
) -> Page[EmergencyAccountView]:
    """Every account that stands or is wanted, of one tenant or of all; needs the ledger alone.

    Tenants that need attention come first. ``search``: part of the tenant's name; ``revealed_only``: what a person may
    use now; ``after``: the cursor of a part that follows. Raises ``NotFoundError`` or ``BadInputError``.
    """
    async with app.ledger.transaction() as session:
        only = (await find_tenant(session, tenant)).id if tenant is not None else None
        usable_at = app.clock() if revealed_only else None
        return await emergency_views.listed(
            session, only=only, search=search, usable_at=usable_at, after=after, limit=limit
        )
