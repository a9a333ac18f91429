"""List the emergency accounts, and when each was last known to work."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import emergency
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.messages import EmergencyAccountView


@asks(Verb.LIST_EMERGENCY_ACCOUNTS)
async def list_emergency_accounts(actor: Actor, app: App, tenant: str | None = None) -> list[EmergencyAccountView]:
    """Every account that stands or is wanted, of one tenant or of all. Needs the ledger alone.

    Raises ``NotFoundError``.
    """
    async with app.ledger.transaction() as session:
        only = (await find_tenant(session, tenant)).id if tenant is not None else None
        return await emergency.views(session, only)
