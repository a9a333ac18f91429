"""List requests and their grants."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import grants, statuses
from entra_jit.ledger.names import find_technician, find_tenant
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.messages import GrantStatus


@asks(Verb.LIST_GRANTS)
async def list_grants(
    actor: Actor,
    app: App,
    *,
    tenant: str | None = None,
    technician: str | None = None,
    limit: int = 50,
) -> list[GrantStatus]:
    """The newest requests first. Raises ``NotFoundError``."""
    async with app.ledger.transaction() as session:
        there = await find_tenant(session, tenant) if tenant is not None else None
        whose = await find_technician(session, technician) if technician is not None else None
        rows = await grants.listed(session, tenant=there, technician=whose, limit=limit)
        return await statuses.of_requests(session, rows, app.clock())
