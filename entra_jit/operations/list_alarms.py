"""List what stands."""

from __future__ import annotations

from entra_jit.accounts.ledger_watch import find_lapse
from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import alarms
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.alarms import Alarm, AlarmKind
from models.paging import Page


@asks(Verb.LIST_ALARMS)
async def list_alarms(
    actor: Actor,
    app: App,
    *,
    tenant: str | None = None,
    standing_only: bool = True,
    after: str | None = None,
    limit: int = 100,
) -> Page[Alarm]:
    """What stands, the newest first, of one tenant or of all; not ``standing_only``: and the last that are over.

    Raises *reconciler lapsed* too: without a live worker no other process does. ``after``: the cursor of a part that
    follows.
    """
    async with app.ledger.transaction() as session:
        name = (await find_tenant(session, tenant)).name if tenant is not None else None
        found = await alarms.listed(session, tenant=name, after=after, limit=limit)
        if not standing_only:
            over = await alarms.over(session, tenant=name, limit=limit)
            found[:] = sorted([*found, *over], key=lambda alarm: alarm.raised_at, reverse=True)[:limit]
    if tenant is not None or after is not None:
        return found
    lapse = await find_lapse(app.ledger, app.settings.reconcile_every, app.clock())
    is_told = any(alarm.kind is AlarmKind.RECONCILER_LAPSED and alarm.cleared_at is None for alarm in found)
    if lapse is not None and not is_told:
        found.insert(0, lapse)
    return found
