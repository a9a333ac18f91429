"""Looking at tenants and changing what their administrators could: domains, policies, consent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from cryptography import x509
from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandbox.app import Sandbox
from sandbox.control.requests import CertificateBody, DomainBody, ServicePrincipalBody, TenantBody
from sandbox.directory.records import ConditionalAccessPolicy, DelegatedAdminCustomer
from sandbox.directory.roles import assignment_id, built_in_roles, role_named
from sandbox.directory.rows import Domain, ServicePrincipal
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Json


def tenant_of(sandbox: Sandbox, request: Request) -> Tenant:
    """The tenant that the path names, or 404."""
    name = request.path_params["tenant"]
    tenant = sandbox.directory.tenant_or_slug(name)
    if tenant is None:
        raise HTTPException(404, f"there is no tenant {name}")
    return tenant


def role_ids(names: frozenset[str]) -> list[str]:
    """Template ids of roles given by name or id, or 400."""
    found = {name: role_named(name) for name in names}
    if unknown := sorted(name for name, role_id in found.items() if role_id is None):
        raise HTTPException(400, f"there is no directory role {unknown[0]!r}")
    return sorted(role_id for role_id in found.values() if role_id is not None)


class TenantControl:
    """The routes under ``/sandbox/tenants`` that are not about a user."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def list_all(self, _: Request) -> Json:
        return [_shown(tenant) for tenant in self._sandbox.directory.tenants.values()]

    async def show(self, request: Request) -> Json:
        return _shown(tenant_of(self._sandbox, request))

    async def change(self, request: Request) -> Json:
        tenant = tenant_of(self._sandbox, request)
        body = TenantBody.model_validate_json(await request.body())
        if body.temporary_access_pass is not None:
            changes = body.temporary_access_pass.model_dump(exclude_none=True)
            organization = tenant.organization
            policy = replace(organization.temporary_access_pass, **changes)
            tenant.organizations.put(replace(organization, temporary_access_pass=policy))
        if body.service_plans is not None:
            plans = tuple(map(str, body.service_plans))
            tenant.organizations.put(replace(tenant.organization, service_plans=plans))
        if body.longest_active_assignment is not None:
            longest = body.longest_active_assignment or None
            tenant.organizations.put(replace(tenant.organization, longest_active_assignment=longest))
        for name in ("security_defaults", "app_restrictions", "passkeys", "deleted"):
            if (value := getattr(body, name)) is not None:
                tenant.organizations.put(replace(tenant.organization, **{name: value}))
        if body.conditional_access is not None:
            _replace_conditional_access(tenant, body.conditional_access, self._sandbox.clock.now())
        for customer in body.delegated_admin_customers:
            tenant.customers.put(DelegatedAdminCustomer(id=str(customer.id), display_name=customer.display_name))
        for wanted in body.service_principals:
            _change_service_principal(tenant, wanted)
        return _shown(tenant)

    async def change_domain(self, request: Request) -> Json:
        """Convert a domain to federated and back, verify it, take its verification away, or add it."""
        tenant = tenant_of(self._sandbox, request)
        body = DomainBody.model_validate_json(await request.body())
        organization = tenant.organization
        name = request.path_params["domain"].lower()
        before = organization.domain(name) or Domain(name=name, is_verified=False)
        after = replace(before, **body.model_dump(exclude_none=True))
        others = tuple(domain for domain in organization.domains if domain.name != name)
        position = next((at for at, domain in enumerate(organization.domains) if domain.name == name), len(others))
        tenant.organizations.put(replace(organization, domains=(*others[:position], after, *others[position:])))
        return _shown(tenant)

    async def add_certificate(self, request: Request) -> Json:
        """Upload a certificate to an application, in its home tenant as in reality, whichever tenant was named."""
        principal = _principal(tenant_of(self._sandbox, request), request.path_params["app"])
        body = CertificateBody.model_validate_json(await request.body())
        try:
            x509.load_pem_x509_certificate(body.pem.encode())
        except ValueError:
            raise HTTPException(400, "pem: this is no certificate in PEM form") from None
        application = self._sandbox.directory.applications.get(principal.app_id)
        if application is None:
            raise HTTPException(404, f"application {principal.app_id} has no registration here")
        if body.pem not in application.certificates:
            changed = replace(application, certificates=(*application.certificates, body.pem))
            self._sandbox.directory.applications.put(changed)
        return {"app_id": principal.app_id}


def _replace_conditional_access(tenant: Tenant, policies: Iterable[dict[str, Json]], at: datetime) -> None:
    for held in tuple(tenant.conditional_access):
        tenant.conditional_access.remove(held.id)
    for properties in policies:
        tenant.conditional_access.put(ConditionalAccessPolicy(id=str(uuid4()), created=at, properties=properties))


def _principal(tenant: Tenant, app: str) -> ServicePrincipal:
    for principal in tenant.service_principals:
        if app.lower() in {principal.app_id, principal.display_name.lower(), principal.id}:
            return principal
    raise HTTPException(404, f"tenant {tenant.organization.slug} has no application {app}")


def _change_service_principal(tenant: Tenant, wanted: ServicePrincipalBody) -> None:
    principal = _principal(tenant, wanted.app)
    changed = replace(
        principal,
        permissions=(principal.permissions - wanted.withdraw) | wanted.grant,
        enabled=principal.enabled if wanted.enabled is None else wanted.enabled,
    )
    if changed != principal:
        tenant.service_principals.put(changed)
    for role_id in role_ids(wanted.remove_roles):
        tenant.take_role(assignment_id(role_id, principal.id))
    for role_id in role_ids(wanted.add_roles):
        if assignment_id(role_id, principal.id) not in tenant.role_assignments:
            tenant.assign_role(role_id, principal.id)


def _shown(tenant: Tenant) -> dict[str, Json]:
    organization = tenant.organization
    return {
        "id": tenant.id,
        "slug": organization.slug,
        "display_name": organization.display_name,
        "users": len(tenant.users),
        "domains": [
            {
                "name": domain.name,
                "is_verified": domain.is_verified,
                "authentication_type": domain.authentication_type,
                "is_initial": domain.is_initial,
                "is_default": domain.is_default,
            }
            for domain in organization.domains
        ],
        "temporary_access_pass": {
            name: getattr(organization.temporary_access_pass, name)
            for name in (
                "enabled",
                "one_time_only",
                "minimum_lifetime",
                "maximum_lifetime",
                "default_lifetime",
                "length",
                "new_accounts_refused",
                "new_passes_refused",
            )
        },
        "service_principals": [
            {
                "id": principal.id,
                "app_id": principal.app_id,
                "display_name": principal.display_name,
                "enabled": principal.enabled,
                "permissions": sorted(principal.permissions),
                "roles": sorted(built_in_roles()[role].name for role in tenant.roles_of(principal.id)),
            }
            for principal in tenant.service_principals
        ],
    }
