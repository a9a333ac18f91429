"""Preview disconnecting a tenant: what that would delete there."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from entra_jit.operations._leaving import find_leaving
from models.actor import Actor
from models.connections import DisconnectionPlan


@asks(Verb.DISCONNECT_TENANT)
@at_a_worker
async def plan_disconnection(actor: Actor, app: App, tenant: str) -> DisconnectionPlan:
    """What ``disconnect_tenant`` would delete. Changes nothing; raises as it does before it begins."""
    return (await find_leaving(app, tenant)).plan
