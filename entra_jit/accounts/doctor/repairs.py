"""What the doctor can put right: our service principals' role, and what the policies for passes and passkeys let our
accounts have, by a group of them.

Nothing else in a customer's tenant is ours to change. Every repair can be done twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from entra_jit.accounts.doctor.applications import CLOSING_ROLE, lacks_role, missing_permissions
from entra_jit.accounts.doctor.examined import ExaminedTenant, OurApplication
from entra_jit.accounts.doctor.passkeys import groups_of, plan_opening
from entra_jit.graph import ConflictError, Tenant
from entra_jit.graph.operations import ANY_ADMINISTRATOR
from models.checks import Check
from models.messages import AccessKind, DirectoryCall, ObjectId


@dataclass(frozen=True)
class Repair:
    """One change in a tenant that would make a check good."""

    check: Check
    change: str
    """What it changes, a sentence in the imperative."""
    make: Callable[[], Awaitable[DirectoryCall | None]] | None
    """Changes it. Raises ``GraphError``; None: it was so already. No function: an administrator has to do it."""


async def plan(tenant: ExaminedTenant, login_url: str) -> list[Repair]:
    """What there is to be repaired. Reads only; raises ``GraphError``."""
    return [
        *_consents(tenant, login_url),
        *await _roles(tenant),
        *await _pass_group(tenant),
        *await _passkeys(tenant),
    ]


def _consents(tenant: ExaminedTenant, login_url: str) -> list[Repair]:
    found = []
    for application in tenant.applications:
        if missing := missing_permissions(tenant.configured, application):
            client = application.tenant.connection.client_id
            address = f"{login_url}/{tenant.configured.terms.id}/adminconsent?{urlencode({'client_id': client})}"
            change = f"Add {missing} to {application.name} and consent as an administrator: {address}"
            found.append(Repair(Check.PERMISSIONS_MISSING, change, None))
    return found


async def _roles(tenant: ExaminedTenant) -> list[Repair]:
    directory, found = tenant.as_seen_by("elevate"), []
    for application in tenant.applications:
        # Read from the directory: what gets a role must not come from a token that nothing has verified.
        client_id = application.tenant.connection.client_id
        principal = (await tenant.as_seen_by("revoke").applications.principal(client_id)).id
        if lacks_role(await directory.roles.assignments_of(principal)):
            found.append(_role(directory, application, principal))
    return found


def _role(directory: Tenant, application: OurApplication, principal: ObjectId) -> Repair:
    async def make() -> DirectoryCall | None:
        try:
            return (await directory.roles.assign(CLOSING_ROLE, to=principal)).evidence
        except ConflictError:
            return None

    change = f"Assign {ANY_ADMINISTRATOR} to the service principal of {application.name}, {principal}."
    return Repair(Check.DIRECTORY_ROLE, change, make)


async def _pass_group(tenant: ExaminedTenant) -> Sequence[Repair]:
    """With one security group that mappings give; of several it is not known which holds all of our accounts."""
    configured, directory = tenant.configured, tenant.as_seen_by("elevate")
    groups = configured.mapped_of(AccessKind.GROUP)
    if configured.credential == "password" or len(groups) != 1:
        return []
    policy = await directory.access_passes.policy()
    (group,) = groups
    if policy.state != "enabled" or policy.covers_everyone or group.id in {one.id for one in policy.include_targets}:
        return []

    async def make() -> DirectoryCall:
        return await directory.access_passes.include(ObjectId(group.id), await directory.access_passes.policy())

    change = f"Let members of {group.name}, {group.id}, have Temporary Access Passes."
    return [Repair(Check.PASS_POLICY, change, make)]


async def _passkeys(tenant: ExaminedTenant) -> Sequence[Repair]:
    """Confined to a group of our emergency accounts, once there are any."""
    directory = tenant.as_seen_by("elevate")
    if not tenant.configured.emergency:
        return []
    policy, groups = await asyncio.gather(directory.passkey_policy.get(), groups_of(tenant))
    users = await asyncio.gather(*map(directory.users.get, groups))
    found = plan_opening(policy, groups, {user.id: user.user_principal_name for user in users})
    if found is None:
        return []
    if isinstance(found, str):
        return [Repair(Check.PASSKEYS, found, None)]
    return [Repair(Check.PASSKEYS, found.words, lambda: found.make(directory, policy))]
