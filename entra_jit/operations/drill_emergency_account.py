"""Try a tenant's emergency accounts now: does the sealed credential sign in?"""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations._emergency_accounts import have_done
from models.actor import Actor
from models.messages import EmergencyDuty, EmergencyRef


@asks(Verb.DRILL_EMERGENCY_ACCOUNT)
async def drill_emergency_account(actor: Actor, app: App, tenant: str, number: int | None = None) -> list[EmergencyRef]:
    """Have it tried, durably; ``list_emergency_accounts`` has what came of it. Gives the accounts.

    Idempotent. Raises ``NotFoundError``.
    """
    return await have_done(actor, app, tenant, number, EmergencyDuty.DRILL)
