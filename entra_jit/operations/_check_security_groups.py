"""Look at the security groups that a configuration names in the tenants themselves, before it is applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog
from pydantic import SecretStr

from entra_jit.accounts.access import CannotBeGivenError, groups
from entra_jit.accounts.attempts import gather_bounded
from entra_jit.accounts.directories import Purpose, credential_of
from entra_jit.app import App
from entra_jit.graph import Connection, GraphError, Tenant
from entra_jit.policy.configuration import Configuration, PurposeName, SecurityGroupEntry, TenantEntry
from models.messages import AccessItem, AccessKind, TenantId

GROUPS_AT_ONCE = 10

_log = structlog.get_logger("configuration")


@dataclass(frozen=True)
class UnusableGroup:
    """A security group that cannot be configured; ``explanation`` is a sentence."""

    tenant: TenantEntry
    group: SecurityGroupEntry
    explanation: str


async def check_security_groups(
    app: App,
    configuration: Configuration,
    secrets: Mapping[tuple[UUID, PurposeName], SecretStr],
    known: Iterable[str],
) -> list[UnusableGroup]:
    """Every group that must not be given, or of which that cannot be found out. Reads only.

    A tenant that cannot be read is no reason to refuse groups that are ``known``, by their ids: those were looked at
    when they were first applied, and are looked at again when they are given. A leaver must not stay in
    the configuration because a customer's tenant is away.
    """
    applied = set(known)

    async def one(entry: tuple[TenantEntry, SecurityGroupEntry]) -> UnusableGroup | None:
        tenant, group = entry
        item = AccessItem(kind=AccessKind.GROUP, id=str(group.id), name=group.name)
        try:
            await groups.check(await _directory(app, tenant, secrets), item)
        except CannotBeGivenError as error:
            return UnusableGroup(tenant, group, str(error))
        except GraphError as error:
            if item.id not in applied:
                return UnusableGroup(tenant, group, f"The group {group.name} could not be looked at. {error}")
            _log.warning("security group not looked at", tenant=tenant.name, group=group.name, because=str(error))
        return None

    entries = [(tenant, group) for tenant in configuration.tenants for group in tenant.security_groups]
    found = await gather_bounded(GROUPS_AT_ONCE, one, entries)
    return [unusable for unusable in found if unusable]


async def _directory(app: App, tenant: TenantEntry, secrets: Mapping[tuple[UUID, PurposeName], SecretStr]) -> Tenant:
    tenant_id = TenantId(str(tenant.id))
    if tenant.elevate is None:
        return app.graph.tenant(app.own_applications["elevate"].connection(tenant_id, tenant.name))
    if (tenant.id, "elevate") not in secrets:
        return await app.directories.of(tenant_id, Purpose.ELEVATE)
    credential = credential_of(tenant.elevate.kind, secrets[tenant.id, "elevate"])
    client_id = str(tenant.elevate.client_id)
    return app.graph.tenant(
        Connection(tenant_id=tenant_id, tenant=tenant.name, client_id=client_id, credential=credential)
    )
