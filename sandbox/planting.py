"""A directory with what a seed file says."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid5

from pydantic import JsonValue

from sandbox.clock import seconds
from sandbox.directory.digest import Digest
from sandbox.directory.directory import Directory
from sandbox.directory.rows import (
    Application,
    AppRole,
    AppRoleAssignment,
    ClientSecret,
    Domain,
    FederatedCredential,
    Group,
    Organization,
    ServicePrincipal,
    SignInPolicy,
    TemporaryAccessPassPolicy,
    User,
)
from sandbox.directory.tenant import Tenant
from sandbox.identity.consents import grant_scopes
from sandbox.seed import (
    Seed,
    SeedApplication,
    SeedConsent,
    SeedGroup,
    SeedSecret,
    SeedTenant,
    SeedUser,
    written_directory,
)

_TENANTS_SINCE = datetime(2024, 1, 15, 9, 30, tzinfo=UTC)


def plant(seed: Seed) -> Directory:
    """A directory with what the seed says."""
    if seed.rows:
        return written_directory(seed.rows)
    directory = Directory()
    ids = {tenant.slug: tenant.id for tenant in seed.tenants}
    for application in seed.applications:
        directory.applications.put(
            Application(
                id=application.client_id,
                display_name=application.name,
                home_tenant=ids[application.home],
                secrets=tuple(map(_secret, application.secrets)),
                certificates=application.certificates,
                federated_credentials=tuple(
                    FederatedCredential(**credential.model_dump()) for credential in application.federated_credentials
                ),
                redirect_uris=application.redirect_uris,
                public_redirect_uris=application.public_redirect_uris,
                spa_redirect_uris=application.spa_redirect_uris,
                single_tenant=application.single_tenant,
                issues_id_tokens=application.issues_id_tokens,
                optional_claims=frozenset(application.optional_claims),
                required_permissions=application.permissions,
                required_scopes=application.scopes,
                app_roles=_app_roles(application),
            )
        )
    for tenant in seed.tenants:
        _plant_tenant(directory.add_tenant(tenant.id), tenant, seed.applications, ids)
    return directory


def _secret(seed: SeedSecret | str) -> ClientSecret:
    secret = SeedSecret(value=seed) if isinstance(seed, str) else seed
    return ClientSecret(digest=Digest.of(secret.value), hint=secret.value[:3], expires=secret.expires)


def _app_roles(seed: SeedApplication) -> tuple[AppRole, ...]:
    return tuple(
        AppRole(
            id=role.id or derived_id(seed.client_id, "appRole", role.value),
            value=role.value,
            display_name=role.display_name,
            description=role.description,
        )
        for role in seed.app_roles
    )


def _assigned(tenant: Tenant, consent: SeedConsent, app_roles: tuple[AppRole, ...]) -> tuple[AppRoleAssignment, ...]:
    ids = {role.value: role.id for role in app_roles}
    people = {name: user for name in consent.assigned if (user := tenant.user(name)) is not None}
    return tuple(
        AppRoleAssignment(principal_id=user.id, role_id=ids[value], created=_TENANTS_SINCE)
        for name, user in people.items()
        for value in consent.assigned[name]
    )


def _plant_tenant(
    tenant: Tenant, seed: SeedTenant, applications: tuple[SeedApplication, ...], ids: dict[str, str]
) -> None:
    tenant.organizations.put(
        Organization(
            id=seed.id,
            slug=seed.slug,
            display_name=seed.name,
            created=_TENANTS_SINCE,
            country=seed.country,
            service_plans=seed.service_plans,
            domains=tuple(
                Domain(
                    name=domain.name,
                    is_verified=domain.verified,
                    authentication_type=domain.authentication,
                    is_initial=domain.initial,
                    is_default=domain.default,
                )
                for domain in seed.domains
            ),
            temporary_access_pass=TemporaryAccessPassPolicy(**seed.temporary_access_pass.model_dump()),
            sign_in=SignInPolicy(**seed.sign_in.model_dump()),
        )
    )
    for user in seed.users:
        _plant_user(tenant, user)
    for group in seed.groups:
        _plant_group(tenant, group)
    by_name = {application.name: application for application in applications}
    for consent in seed.applications:
        asked = SeedConsent(name=consent) if isinstance(consent, str) else consent
        application = by_name[asked.name]
        _plant_service_principal(tenant, asked, application, ids[application.home])


def _plant_user(tenant: Tenant, seed: SeedUser) -> None:
    created = seconds(_TENANTS_SINCE)
    properties: dict[str, JsonValue] = {
        "accountEnabled": seed.enabled,
        "createdDateTime": created,
        "displayName": seed.name,
        "lastPasswordChangeDateTime": created,
        "mailNickname": seed.upn.partition("@")[0].replace("#EXT#", ""),
        "userPrincipalName": seed.upn,
        "userType": "Guest" if seed.guest else "Member",
    }
    if seed.guest:
        properties |= {"creationType": "Invitation", "externalUserState": "Accepted"}
    if seed.synced:
        properties |= {
            "onPremisesSyncEnabled": True,
            "onPremisesImmutableId": derived_id(tenant.id, "immutable", seed.upn),
            "onPremisesLastSyncDateTime": created,
        }
    user = User(
        id=seed.id or derived_id(tenant.id, "user", seed.upn),
        properties=properties | seed.properties,
        password=Digest.of(seed.password) if seed.password else None,
        sessions_valid_from=_TENANTS_SINCE,
    )
    tenant.users.put(user)
    for role in seed.roles:
        tenant.assign_role(role, user.id)


def _plant_group(tenant: Tenant, seed: SeedGroup) -> None:
    members = (tenant.user(name) for name in seed.members)
    group = Group(
        id=seed.id or derived_id(tenant.id, "group", seed.name),
        display_name=seed.name,
        created=_TENANTS_SINCE,
        is_assignable_to_role=seed.role_assignable,
        security_enabled=seed.security_enabled,
        mail_enabled=seed.mail_enabled,
        is_dynamic=seed.dynamic,
        is_synced=seed.synced,
        members=frozenset(user.id for user in members if user is not None),
    )
    tenant.groups.put(group)
    for role in seed.roles:
        tenant.assign_role(role, group.id)


def _plant_service_principal(tenant: Tenant, consent: SeedConsent, application: SeedApplication, home: str) -> None:
    permissions = application.permissions if consent.permissions is None else consent.permissions
    app_roles = _app_roles(application)
    principal = ServicePrincipal(
        id=consent.id or derived_id(tenant.id, "servicePrincipal", application.client_id),
        app_id=application.client_id,
        display_name=application.name,
        created=_TENANTS_SINCE,
        permissions=permissions,
        enabled=consent.enabled,
        owner_tenant=home,
        app_roles=app_roles,
        assigned=_assigned(tenant, consent, app_roles),
    )
    tenant.service_principals.put(principal)
    scopes = application.scopes if consent.scopes is None else consent.scopes
    if scopes:
        grant_scopes(tenant, principal, scopes)
    for role in application.roles if consent.roles is None else consent.roles:
        tenant.assign_role(role, principal.id)


def derived_id(tenant_id: str, kind: str, name: str) -> str:
    """A GUID for something in a tenant, the same for the same name."""
    return str(uuid5(UUID(tenant_id), f"{kind}:{name.lower()}"))
