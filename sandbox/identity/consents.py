"""What a tenant lets an application do: granting makes the service principal, and what it may, in that tenant."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from sandbox.directory.records import DelegatedGrant, consent_id
from sandbox.directory.rows import Application, ServicePrincipal
from sandbox.directory.tenant import Tenant
from sandbox.graph.app_roles import graph_principal_id


def principal_of(tenant: Tenant, application: Application, now: datetime) -> ServicePrincipal:
    """The application as this tenant has it, made if it is new here: with nothing granted."""
    known = tenant.service_principals.one("app", application.id)
    if known is not None:
        return known
    made = ServicePrincipal(
        id=str(uuid4()),
        app_id=application.id,
        display_name=application.display_name,
        created=now,
        owner_tenant=application.home_tenant,
        app_roles=application.app_roles,
    )
    tenant.service_principals.put(made)
    return made


def grant_permissions(tenant: Tenant, principal: ServicePrincipal, permissions: frozenset[str]) -> None:
    """Give app permissions of Graph. Idempotent."""
    if not permissions <= principal.permissions:
        tenant.service_principals.put(replace(principal, permissions=principal.permissions | permissions))


def grant_scopes(
    tenant: Tenant, principal: ServicePrincipal, scopes: frozenset[str], user_id: str | None = None
) -> None:
    """Give delegated permissions of Graph, on behalf of one person or (None) of everybody. Idempotent."""
    held = next(
        (grant for grant in _grants(tenant, principal) if grant.principal_id == user_id),
        DelegatedGrant(
            id=consent_id(principal.id, graph_principal_id(tenant.id), user_id),
            client_id=principal.id,
            resource_id=graph_principal_id(tenant.id),
            scope="",
            principal_id=user_id,
        ),
    )
    if not scopes <= set(held.scope.split()):
        together = scopes | set(held.scope.split())
        # With a blank before the first, as Microsoft's own consent writes it (recorded by rknightion/graph2otel).
        tenant.delegated_grants.put(replace(held, scope=f" {' '.join(sorted(together))}"))


def granted_scopes(tenant: Tenant, principal: ServicePrincipal | None, user_id: str) -> frozenset[str]:
    """The delegated permissions that hold for a person: everybody's and the own."""
    if principal is None:
        return frozenset()
    grants = _grants(tenant, principal)
    words = (grant.scope.split() for grant in grants if grant.principal_id in {None, user_id})
    return frozenset(word for scope in words for word in scope)


def _grants(tenant: Tenant, principal: ServicePrincipal) -> list[DelegatedGrant]:
    return [grant for grant in tenant.delegated_grants if grant.client_id == principal.id]
