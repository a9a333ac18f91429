"""How the first segment of a sign-in path names a tenant: by GUID, by verified domain, or not at all."""

from __future__ import annotations

from uuid import UUID

from sandbox.directory.directory import Directory
from sandbox.directory.tenant import Tenant
from sandbox.identity.errors import not_a_tenant, tenant_deleted, tenant_not_found

MULTI_TENANT_NAMES = frozenset({"common", "organizations"})


def resolve_tenant(directory: Directory, name: str, error: str = "invalid_request") -> Tenant | None:
    """The tenant that a path names; None for the multi-tenant names. Raises ``SignInError`` for anything else."""
    if name.lower() in MULTI_TENANT_NAMES:
        return None
    if tenant := directory.tenant(name):
        if tenant.organization.deleted:
            raise tenant_deleted()
        return tenant
    if "." not in name and not _is_guid(name):
        raise not_a_tenant(name)
    raise tenant_not_found(name, error)


def _is_guid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
