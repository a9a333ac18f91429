"""Show by whom a tenant was connected, when, and whether this version needs more."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.graph.permissions import missing
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import connections
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from entra_jit.policy.configuration import PurposeName
from models.actor import Actor
from models.connections import ShownConnection
from models.errors import NotFoundError
from models.messages import TenantId


@asks(Verb.SHOW_CONNECTION)
async def show_connection(actor: Actor, app: App, tenant: str) -> ShownConnection:
    """The last authorization of a tenant. Reads the ledger alone: the doctor asks Microsoft.

    Raises ``NotFoundError``, also for a tenant that has a registration of its own.
    """
    async with app.ledger.transaction() as session:
        row = await find_tenant(session, tenant)
        name, tenant_id = row.name, TenantId(str(row.id))
        connection = await connections.of_tenant(session, tenant_id)
    if connection is None:
        raise NotFoundError(
            f"{name} was not connected by consent.",
            advice="It has a registration of its own, or `tenant connect` was not run.",
        )
    purposes: tuple[PurposeName, ...] = ("elevate", "revoke")
    lacking = {
        f"{permission} ({one.purpose})"
        for one in connection.applications
        for purpose in purposes
        if purpose == one.purpose
        for permission in missing(purpose, one.permissions)
    }
    return ShownConnection(connection=connection, lacking=tuple(sorted(lacking)))
