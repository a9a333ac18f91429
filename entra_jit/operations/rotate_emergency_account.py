"""Rotate a tenant's emergency accounts now: new credential, proof, and the old one goes."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations._emergency_accounts import have_done
from models.actor import Actor
from models.messages import EmergencyDuty, EmergencyRef


@asks(Verb.ROTATE_EMERGENCY_ACCOUNT)
async def rotate_emergency_account(
    actor: Actor, app: App, tenant: str, number: int | None = None
) -> list[EmergencyRef]:
    """Have it rotated, durably. Gives the accounts; ``number`` None: all of the tenant.

    A kit with its credential is stale then. Idempotent. Raises ``NotFoundError``.
    """
    return await have_done(actor, app, tenant, number, EmergencyDuty.ROTATE)
