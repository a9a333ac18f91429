"""What proves that a tenant is connected: tokens of that very tenant, and the role of the person who says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from entra_jit.app import App
from entra_jit.graph import (
    ConflictError,
    Granted,
    GraphError,
    NotYetVisibleError,
    PermanentError,
    RetryBudget,
    Tenant,
    TransientError,
)
from entra_jit.graph.operations import ANY_ADMINISTRATOR
from entra_jit.identity.open_id import SignedInPerson
from entra_jit.ledger.connections import Pending
from entra_jit.operations._connection_steps import is_one_application
from entra_jit.policy.configuration import PurposeName
from entra_jit.policy.permissions import lacking
from entra_jit.policy.roles import find_role
from models.connections import ConnectedApplication, TenantConnection
from models.errors import RefusedError
from models.messages import ObjectId, RoleId

_MAY_AUTHORIZE = {
    RoleId(find_role(name).id): name for name in ("Global Administrator", "Privileged Role Administrator")
}
"""Only they can grant application permissions of Graph:
https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent#prerequisites"""

_PURPOSES: tuple[PurposeName, ...] = ("elevate", "revoke")
_WHOLE_TENANT = "/"
_PAUSE_SECONDS = 2.0

Read = TypeVar("Read")


class NotConnectableError(RefusedError):
    """The tenant is not connected: something that must be proven was not. Nothing was entered."""


class UnexpectedAnswerError(NotConnectableError):
    """No connection waits for this answer in this browser. One that is under way goes on."""


async def prove(app: App, pending: Pending, person: SignedInPerson) -> TenantConnection:
    """Read back all that a connection needs, and give our service principals their directory role, which consent
    does not give: the elevating application can.

    Raises ``NotConnectableError``, or ``GraphError`` where Microsoft does not answer.
    """
    granted = [await _proven(app, pending, purpose) for purpose in _PURPOSES]
    tenant = app.graph.tenant(app.own_applications["elevate"].connection(pending.tenant_id, pending.domain))
    if not await _may_authorize(tenant, person):
        raise NotConnectableError(
            f"{person.name} cannot authorize us in {pending.domain}: neither "
            f"{' nor '.join(_MAY_AUTHORIZE.values())} is an active role of theirs.",
            advice="Sign in as an administrator who has activated one of the two.",
        )
    organization = await tenant.organization.get()
    if organization.id != pending.tenant_id:
        raise NotConnectableError(f"{pending.domain} calls itself another tenant, {organization.id}.")
    for principal in {one.principal for one in granted}:
        await _give_role(app, tenant, principal)
    return TenantConnection(
        tenant_id=pending.tenant_id,
        domain=pending.domain,
        display_name=organization.display_name or pending.domain,
        applications=tuple(granted),
        authorized_by=person.name,
        authorized_at=app.clock(),
    )


async def _proven(app: App, pending: Pending, purpose: PurposeName) -> ConnectedApplication:
    """The application as its own token of the tenant shows it. A consent takes up to minutes to reach tokens."""
    own = app.own_applications[purpose]
    tenant = app.graph.tenant(own.connection(pending.tenant_id, pending.domain))
    purposes = _PURPOSES if is_one_application(app) else (purpose,)

    def lacks(granted: Granted | None) -> list[str]:
        return lacking(purposes, granted.permissions if granted else ())

    granted = await _eventually(app, lambda: _granted(tenant), lambda found: not lacks(found))
    if granted is None or granted.tenant_id != pending.tenant_id or granted.client_id != own.client_id:
        raise NotConnectableError(f"Our application {own.client_id} has no token of {pending.domain} itself.")
    if missing := lacks(granted):
        raise NotConnectableError(
            f"The consent in {pending.domain} to the application {own.client_id} ({purpose}) lacks "
            f"{', '.join(missing)}.",
            advice="Add it to the application's registration in your own tenant, and connect again some minutes later: "
            "until then the consent page does not list it.",
        )
    if granted.principal is None:
        raise NotConnectableError(f"Our application {own.client_id} has no service principal in {pending.domain}.")
    return ConnectedApplication(
        purpose=purpose,
        client_id=own.client_id,
        principal=granted.principal,
        permissions=tuple(sorted(granted.permissions)),
    )


async def _granted(tenant: Tenant) -> Granted | None:
    try:
        return await tenant.granted(anew=True)
    except PermanentError as error:
        # No service principal: the consent is on its way, or was never given.
        if error.code in {"AADSTS700016", "AADSTS7000229"}:
            return None
        raise


async def _may_authorize(tenant: Tenant, person: SignedInPerson) -> bool:
    """Whether one of the two roles is active for the person over the whole tenant, by themselves or by a group."""
    if await _holds(tenant, person.id):
        return True
    try:
        memberships = await tenant.users.memberships(person.id)
    except GraphError as error:
        if isinstance(error, TransientError):
            raise
        return False  # What cannot be read is not proven.
    return any([await _holds(tenant, ObjectId(group.id)) for group in memberships.groups])


async def _holds(tenant: Tenant, principal: ObjectId) -> bool:
    assignments = await tenant.roles.assignments_of(principal)
    return any(one.scope == _WHOLE_TENANT and one.role in _MAY_AUTHORIZE for one in assignments.members)


async def _give_role(app: App, tenant: Tenant, principal: ObjectId) -> None:
    role = RoleId(find_role(ANY_ADMINISTRATOR).id)

    async def has_it() -> bool:
        assignments = await tenant.roles.assignments_of(principal)
        return any(one.scope == _WHOLE_TENANT and one.role == role for one in assignments.members)

    async def give() -> bool:
        # It stands already, or the service principal is too new: what is read back decides.
        with suppress(ConflictError, NotYetVisibleError):
            await tenant.roles.assign(role, to=principal)
        return await has_it()

    if not await has_it() and not await _eventually(app, give, bool):
        raise NotConnectableError(
            f"{tenant.connection.tenant}: our service principal {principal} does not hold "
            f"{ANY_ADMINISTRATOR}, or that could not be read back after it was given.",
            advice="Connect again in a few minutes.",
        )


async def _eventually(app: App, read: Callable[[], Awaitable[Read]], is_so: Callable[[Read], bool]) -> Read:
    """What is read, once ``is_so`` of it or patience ends. Passing trouble is waited for as long."""
    until = app.clock() + app.consent_known_after
    budget = RetryBudget(until, app.clock)
    while True:
        found = await budget.ask(read)
        if is_so(found) or app.clock() >= until:
            return found
        await asyncio.sleep(_PAUSE_SECONDS)
