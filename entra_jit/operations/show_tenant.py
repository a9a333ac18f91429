"""Show one tenant: its connection, what the doctor found last, and what was changed about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import connections, examinations, tenant_history
from entra_jit.ledger.names import find_tenant
from entra_jit.ledger.tenant_history import TenantEvent
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.checks import Examination
from models.connections import TenantConnection
from models.messages import TenantId


@dataclass(frozen=True)
class ShownTenant:
    """What the ledger knows of a tenant."""

    id: UUID
    name: str
    is_active: bool
    """It is in the configuration."""
    disconnected_at: datetime | None
    connection: TenantConnection | None
    """None: the MSP's own applications were not authorized there."""
    registered: tuple[str, ...]
    """Client ids of the applications that are known to be there."""
    examination: Examination | None
    history: tuple[TenantEvent, ...]
    """The newest first."""


@asks(Verb.SHOW_TENANT)
async def show_tenant(actor: Actor, app: App, tenant: str) -> ShownTenant:
    """By the ledger alone; a tenant that was removed, too. Raises ``NotFoundError``."""
    async with app.ledger.transaction() as session:
        row = await find_tenant(session, tenant)
        tenant_id = TenantId(str(row.id))
        return ShownTenant(
            id=row.id,
            name=row.name,
            is_active=row.active,
            disconnected_at=row.disconnected_at,
            connection=await connections.of_tenant(session, tenant_id),
            registered=await connections.client_ids(session, tenant_id),
            examination=await examinations.last(session, row),
            history=tuple(await tenant_history.of_tenant(session, row.id)),
        )
