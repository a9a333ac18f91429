"""List what stands."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import alarms
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from entra_jit.temporal.watch import find_lapse
from models.actor import Actor
from models.alarms import Alarm, AlarmKind


@asks(Verb.LIST_ALARMS)
async def list_alarms(
    actor: Actor, app: App, *, tenant: str | None = None, standing_only: bool = True, limit: int = 100
) -> list[Alarm]:
    """What stands, or has stood, the newest first; of one tenant, or of all.

    Raises *reconciler lapsed* too: without a live worker no other process does.
    """
    async with app.ledger.transaction() as session:
        name = (await find_tenant(session, tenant)).name if tenant is not None else None
        found = await alarms.listed(session, tenant=name, standing_only=standing_only, limit=limit)
    if tenant is not None:
        return found
    lapse = await find_lapse(app.ledger, app.settings.reconcile_every, app.clock())
    is_told = any(alarm.kind is AlarmKind.RECONCILER_LAPSED and alarm.cleared_at is None for alarm in found)
    return found if lapse is None or is_told else [lapse, *found]
