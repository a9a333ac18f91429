"""Let provisioning of a paused tenant go on."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import holds
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.holds import HoldKind


@asks(Verb.RESUME_TENANT)
async def resume_tenant(actor: Actor, app: App, tenant: str) -> bool:
    """Let provisioning go on; what waits does so within seconds. False where the tenant was not paused.

    Raises ``NotFoundError``.
    """
    async with app.ledger.transaction() as session:
        found = await find_tenant(session, tenant)
        return await holds.lift(session, HoldKind.PAUSE, tenant_id=found.id, by=actor, at=app.clock())
