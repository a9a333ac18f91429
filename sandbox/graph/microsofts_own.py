"""Microsoft's own services: every tenant has them as service principals, and no registration is behind them."""

from __future__ import annotations

from uuid import UUID, uuid5

from sandbox.directory.rows import ServicePrincipal
from sandbox.directory.tenant import Tenant
from sandbox.graph.app_roles import MICROSOFT_GRAPH_APP_ID

MICROSOFTS_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
"""The tenant in which Microsoft's services are registered: their ``appOwnerOrganizationId`` everywhere."""

SERVICES = {
    "Microsoft Graph": MICROSOFT_GRAPH_APP_ID,
    "Azure ESTS Service": "00000001-0000-0000-c000-000000000000",
    "MS-PIM": "01fc33a7-78ba-4d2f-a4b7-768e336e890e",
    "Microsoft Intune": "0000000a-0000-0000-c000-000000000000",
}
"""Client ids by name: those that write into the audit log here, and Graph."""


def is_microsofts(client_id: str) -> bool:
    """Whether this is the client id of one of them."""
    return client_id in SERVICES.values()


def own_principals(tenant: Tenant) -> list[ServicePrincipal]:
    """All of them, as this tenant has them."""
    return [
        ServicePrincipal(
            id=own_principal_id(tenant.id, client_id),
            app_id=client_id,
            display_name=name,
            created=tenant.organization.created,
            owner_tenant=MICROSOFTS_TENANT,
        )
        for name, client_id in SERVICES.items()
    ]


def own_principal_id(tenant_id: str, client_id: str) -> str:
    """The object id of one of them in a tenant."""
    return str(uuid5(UUID(tenant_id), client_id))
