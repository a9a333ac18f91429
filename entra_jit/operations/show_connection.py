"""Show by whom a tenant was connected, when, and whether this version needs more."""

from __future__ import annotations

from collections.abc import Iterator

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import connections
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from entra_jit.policy.permissions import lacking
from models.actor import Actor
from models.connections import ShownConnection, TenantConnection
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
    return ShownConnection(connection=connection, lacking=lacking_of(connection))


def lacking_of(connection: TenantConnection) -> tuple[str, ...]:
    """The permissions that this version needs and that were not there when it was authorized."""
    return tuple(_lacking(connection))


def _lacking(connection: TenantConnection) -> Iterator[str]:
    for client_id in dict.fromkeys(one.client_id for one in connection.applications):
        same = [one for one in connection.applications if one.client_id == client_id]
        purposes = [one.purpose for one in same]
        for permission in lacking(purposes, same[0].permissions):
            yield f"{permission} ({' and '.join(purposes)})"
