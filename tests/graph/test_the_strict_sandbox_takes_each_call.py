"""A parameter that Microsoft refuses would stop every grant, or every closing, in the first real tenant.

The sandbox refuses each query option that its conformance list does not serve, and each write that is not declared as
JSON. So each operation of the client is asked once, with every page that it has.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from entra_jit.accounts.emergency.key_pair import attest, credential_id, new_key_pair
from entra_jit.graph import ConflictError, Eligibility, NewUser, PermanentError, Tenant
from models.messages import ObjectId, RoleId
from sandbox.graph.app_roles import app_role_ids
from sandbox.graph.licences import P1, P2
from tests.graph.conftest import ELEVATE, RETAIL, Sandbox
from tests.graph.test_the_evidence_is_complete import client_operations

READER = RoleId("4a5d8f65-41da-4de4-8968-e035b65339cf")
PASSWORD = SecretStr("Correct-Horse-7-Battery-Staple")
HOUR = timedelta(hours=1)


async def every(users: AsyncIterator[object]) -> list[object]:
    return [user async for user in users]


async def test_each_operation_is_taken(sandbox: Sandbox, elevate: Tenant) -> None:
    grant = {"app": ELEVATE, "grant": sorted(app_role_ids()), "add_roles": ["Privileged Authentication Administrator"]}
    sandbox.change("", service_plans=[P1, P2], service_principals=[grant])
    made = await elevate.users.create(NewUser(user_principal_name="msp-sweep@contoso.onmicrosoft.com",
                                              display_name="Sweep", mail_nickname="msp-sweep"), PASSWORD)  # fmt: skip
    user, now = ObjectId(made.id), datetime.now(UTC)
    held, eligible = [], Eligibility.model_validate(
        {"id": "x", "roleDefinitionId": READER, "principalId": user, "directoryScopeId": "/", "evidence": made.evidence}
    )  # fmt: skip

    async def assign() -> None:
        held.append((await elevate.roles.assign(READER, to=user)).id)

    async def make_pass() -> None:
        held.append((await elevate.access_passes.create(user, lifetime_minutes=60, usable_once=False)).id)

    async def include() -> None:
        await elevate.access_passes.include(RETAIL, await elevate.access_passes.policy())

    async def delete_method() -> None:
        sandbox.change(f"/users/{user}/methods", kind="phone")
        (method,) = [one for one in await elevate.sign_in_methods.list(user) if not one.is_password]
        await elevate.sign_in_methods.delete(method, of=user)

    async def register_passkey() -> None:
        pair = new_key_pair()
        options = (await elevate.passkeys.options(user)).public_key
        made = await elevate.passkeys.register(user, "entra-jit", attest(pair, options))
        assert made.id == credential_id(pair)

    async def take_offer() -> None:
        with suppress(ConflictError, PermanentError):  # there is none: what matters is how it is asked
            await elevate.roles.remove_eligibility(eligible)

    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "users.create": lambda: elevate.users.get(user),
        "users.get": lambda: elevate.users.get(user),
        "users.find": lambda: elevate.users.find("msp-sweep@contoso.onmicrosoft.com"),
        "users.tagged": lambda: every(elevate.users.tagged(14, "x")),
        "users.named": lambda: every(elevate.users.named("msp-")),
        "users.enable": lambda: elevate.users.enable(user, {14: "x"}),
        "users.disable": lambda: elevate.users.disable(user),
        "users.set_password": lambda: elevate.users.set_password(user, PASSWORD, force_change=False),
        "users.set_attributes": lambda: elevate.users.set_attributes(user, {14: None}),
        "users.revoke_sessions": lambda: elevate.users.revoke_sessions(user),
        "users.memberships": lambda: elevate.users.memberships(user),
        "groups.get": lambda: elevate.groups.get(RETAIL),
        "groups.create": lambda: elevate.groups.create("ours", "ours", [user]),
        "groups.add_member": lambda: elevate.groups.add_member(user, group=RETAIL),
        "groups.remove_member": lambda: elevate.groups.remove_member(user, group=RETAIL),
        "roles.definitions": elevate.roles.definitions,
        "roles.assign": assign,
        "roles.assignments_of": lambda: elevate.roles.assignments_of(user),
        "roles.holders": lambda: elevate.roles.holders(READER),
        "roles.unassign": lambda: elevate.roles.unassign(held.pop()),
        "roles.eligibilities_of": lambda: elevate.roles.eligibilities_of(user),
        "roles.remove_eligibility": take_offer,
        "access_passes.policy": elevate.access_passes.policy,
        "access_passes.create": make_pass,
        "access_passes.delete": lambda: elevate.access_passes.delete(held.pop(), of=user),
        "sign_in_methods.list": lambda: elevate.sign_in_methods.list(user),
        "sign_in_methods.delete": delete_method,
        "deleted_items.find": lambda: elevate.deleted_items.find(user),
        "organization.get": elevate.organization.get,
        "domains.all": elevate.domains.all,
        "domains.find": lambda: elevate.domains.find("contoso.com"),
        "owned_objects.owned": lambda: elevate.owned_objects.owned(user),
        "owned_objects.consents": lambda: elevate.owned_objects.consents(user),
        "applications.principal": lambda: elevate.applications.principal(ELEVATE),
        "applications.by_principal": lambda: elevate.applications.by_principal(user),
        "applications.registration": lambda: elevate.applications.registration(ELEVATE),
        "applications.credentials": lambda: elevate.applications.credentials(ELEVATE),
        "licences.list": elevate.licences.list,
        "passkeys.options": lambda: elevate.passkeys.options(user),
        "passkeys.register": register_passkey,
        "policies.security_defaults": elevate.policies.security_defaults,
        "policies.app_management": elevate.policies.app_management,
        "passkey_policy.get": elevate.passkey_policy.get,
        "passkey_policy.change": lambda: elevate.passkey_policy.change(state="enabled"),
        "policies.conditional_access": elevate.policies.conditional_access,
        "access_passes.include": include,
        "audit_logs.done_by": lambda: elevate.audit_logs.done_by(user, now - HOUR, now + HOUR),
        "audit_logs.done_to": lambda: elevate.audit_logs.done_to(user, now - HOUR, now + HOUR),
        "passkeys.last_uses": lambda: elevate.passkeys.last_uses(user),
        "sign_in_logs.of": lambda: elevate.sign_in_logs.of(user, now - HOUR),
        "users.delete": lambda: elevate.users.delete(user),
    }
    assert asked.keys() == client_operations()
    for run in asked.values():
        await run()
