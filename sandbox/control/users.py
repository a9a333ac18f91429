"""Looking at accounts in full, and doing to them what an administrator, a stranger or the technician could."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandbox.app import Sandbox
from sandbox.audit import log
from sandbox.audit.activity import Activity, Target, entry
from sandbox.clock import seconds, ticks
from sandbox.control.groups import find_group, new_group
from sandbox.control.requests import (
    AuditEntryBody,
    GroupMembershipBody,
    MethodBody,
    NewUserBody,
    RestoreBody,
    RolesBody,
    UserChangesBody,
)
from sandbox.control.tenants import role_ids, tenant_of
from sandbox.directory.digest import Digest
from sandbox.directory.roles import built_in_roles
from sandbox.directory.rows import SignInMethod, User
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Json


class UserControl:
    """The routes under ``/sandbox/tenants/{tenant}/users``."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def list_all(self, request: Request) -> Json:
        tenant = tenant_of(self._sandbox, request)
        everyone = [*tenant.users.in_order(), *tenant.deleted_users.in_order()]
        return [self._shown(tenant, user) for user in everyone]

    async def show(self, request: Request) -> Json:
        tenant = tenant_of(self._sandbox, request)
        return self._shown(tenant, _user(tenant, request, deleted_too=True))

    async def create(self, request: Request) -> Json:
        tenant = tenant_of(self._sandbox, request)
        body = NewUserBody.model_validate_json(await request.body())
        user = tenant.user(body.user_principal_name)
        if user is None:
            user = self._new(body)
            tenant.users.put(user)
        for role_id in role_ids(body.roles):
            tenant.assign_role(role_id, user.id)
        return self._shown(tenant, user)

    async def change(self, request: Request) -> Json:
        tenant = tenant_of(self._sandbox, request)
        user = _user(tenant, request)
        body = UserChangesBody.model_validate_json(await request.body())
        given: dict[str, Json] = {
            "accountEnabled": body.enabled,
            "userType": body.user_type,
            "onPremisesSyncEnabled": body.synced,
        }
        changes = {name: value for name, value in given.items() if value is not None} | body.properties
        if body.extension_attributes:
            held = user.properties.get("onPremisesExtensionAttributes")
            changes["onPremisesExtensionAttributes"] = _merged(held, body.extension_attributes)
        changed = replace(user, properties=user.properties | changes)
        if body.mailbox is not None:
            changed = replace(changed, has_mailbox=body.mailbox)
        if body.password is not None:
            changed = replace(changed, password=Digest.of(body.password))
        if changed != user:
            tenant.users.put(changed)
        return self._shown(tenant, changed)

    async def delete(self, request: Request) -> Json:
        """Delete softly; with ``?purge=true`` for good."""
        tenant = tenant_of(self._sandbox, request)
        user = _user(tenant, request, deleted_too=True)
        if user.deleted is None:
            tenant.soft_delete(user, self._sandbox.clock.now())
        if request.query_params.get("purge") == "true":
            tenant.deleted_users.remove(user.id)
        return {}

    async def restore(self, request: Request) -> Json:
        """Bring a deleted account back, as its administrator could."""
        tenant = tenant_of(self._sandbox, request)
        body = RestoreBody.model_validate_json(await request.body() or "{}")
        user = _user(tenant, request, deleted_too=True)
        if user.deleted is not None:
            if body.user_principal_name:
                user = replace(user, properties=user.properties | {"userPrincipalName": body.user_principal_name})
            if tenant.user(user.user_principal_name):
                raise HTTPException(409, f"{user.user_principal_name} is taken: say another user_principal_name")
            tenant.restore(user)
        return self._shown(tenant, _user(tenant, request))

    async def give_roles(self, request: Request) -> Json:
        tenant = tenant_of(self._sandbox, request)
        user = _user(tenant, request)
        for role_id in role_ids(RolesBody.model_validate_json(await request.body()).roles):
            tenant.assign_role(role_id, user.id)
        return self._shown(tenant, user)

    async def take_role(self, request: Request) -> Json:
        tenant = tenant_of(self._sandbox, request)
        user = _user(tenant, request)
        (role_id,) = role_ids(frozenset({request.path_params["role"]}))
        for held in tenant.role_assignments.find("principal", user.id):
            if held.role_id == role_id:
                tenant.take_role(held.id)
        return self._shown(tenant, user)

    async def register_method(self, request: Request) -> Json:
        """Register a sign-in method, as the person at the keyboard could."""
        tenant = tenant_of(self._sandbox, request)
        user = _user(tenant, request)
        body = MethodBody.model_validate_json(await request.body())
        created: dict[str, Json] = {"createdDateTime": seconds(self._sandbox.clock.now())}
        method = SignInMethod(id=str(uuid4()), kind=body.kind, properties=created | body.properties)
        changed = replace(user, methods=(*user.methods, method))
        tenant.users.put(changed)
        return self._shown(tenant, changed) | {"method_id": method.id}

    async def remove_method(self, request: Request) -> Json:
        tenant = tenant_of(self._sandbox, request)
        user = _user(tenant, request)
        kept = tuple(method for method in user.methods if method.id != request.path_params["method"])
        changed = replace(user, methods=kept)
        if changed != user:
            tenant.users.put(changed)
        return self._shown(tenant, changed)

    async def join_group(self, request: Request) -> Json:
        tenant = tenant_of(self._sandbox, request)
        user = _user(tenant, request)
        body = GroupMembershipBody.model_validate_json(await request.body())
        group = find_group(tenant, body.name) or new_group(tenant, body, self._sandbox.clock.now())
        if user.id not in group.members:
            tenant.groups.put(replace(group, members=group.members | {user.id}))
        return self._shown(tenant, user)

    async def leave_group(self, request: Request) -> Json:
        tenant = tenant_of(self._sandbox, request)
        user = _user(tenant, request)
        group = find_group(tenant, request.path_params["group"])
        if group is not None and user.id in group.members:
            tenant.groups.put(replace(group, members=group.members - {user.id}))
        return self._shown(tenant, user)

    async def write_audit(self, request: Request) -> Json:
        """The log's entry of something that this account did and that is not simulated here."""
        tenant = tenant_of(self._sandbox, request)
        user = _user(tenant, request)
        body = AuditEntryBody.model_validate_json(await request.body())
        targets = tuple(
            Target(one.id, None, one.type, one.name) if one.type == "User" else Target(one.id, one.name, one.type)
            for one in body.targets
        )
        activity = Activity(body.activity, None if body.unreadable else "Other", "Update", targets, body.service)
        now = self._sandbox.clock.now()
        author = (
            log.service_author(body.by_service, now) if body.by_service else log.person_author(tenant, user.id, now)
        )
        written = entry(activity, log.in_tenant(author, tenant) if body.by_service else author)
        tenant.audits.put(written)
        return written.content

    def _new(self, body: NewUserBody) -> User:
        now = self._sandbox.clock.now()
        alias = body.user_principal_name.partition("@")[0]
        properties: dict[str, Json] = {
            "accountEnabled": body.enabled,
            "createdDateTime": seconds(now),
            "displayName": body.display_name or alias,
            "lastPasswordChangeDateTime": seconds(now),
            "mailNickname": alias,
            "userPrincipalName": body.user_principal_name,
            "userType": "Member",
            "onPremisesExtensionAttributes": _merged(None, body.extension_attributes),
        }
        return User(
            id=str(uuid4()),
            properties=properties | body.properties,
            password=Digest.of(body.password) if body.password else None,
            sessions_valid_from=now,
        )

    def _shown(self, tenant: Tenant, user: User) -> dict[str, Json]:
        held = user.temporary_access_pass
        policy = tenant.organization.temporary_access_pass
        groups = tenant.groups.find("member", user.id)
        return {
            "id": user.id,
            "user_principal_name": user.user_principal_name,
            "display_name": user.display_name,
            "enabled": user.enabled,
            "user_type": user.properties.get("userType"),
            "synced": user.is_synced,
            "deleted": ticks(user.deleted) if user.deleted else None,
            "roles": sorted(built_in_roles()[role].name for role in tenant.roles_of(user.id)),
            "role_assignments": [
                {"id": held.id, "role_id": held.role_id, "scope": held.scope}
                for held in tenant.role_assignments.find("principal", user.id)
            ],
            "groups": [
                {"id": group.id, "name": group.display_name, "role_assignable": group.is_assignable_to_role}
                for group in groups
            ],
            "methods": [
                {"id": method.id, "kind": method.kind, "properties": method.properties} for method in user.methods
            ],
            "has_password": user.password is not None,
            "must_change_password": user.must_change_password,
            "temporary_access_pass": {
                "id": held.id,
                "starts": ticks(held.starts),
                "expires": ticks(held.expires),
                "usability": held.usability(policy, self._sandbox.clock.now()),
            }
            if held
            else None,
            "sessions_valid_from": ticks(user.sessions_valid_from),
            "last_password_change": user.properties.get("lastPasswordChangeDateTime"),
            "extension_attributes": user.properties.get("onPremisesExtensionAttributes") or {},
            "properties": user.properties,
        }


def _user(tenant: Tenant, request: Request, *, deleted_too: bool = False) -> User:
    key = request.path_params["user"]
    user = tenant.user(key)
    if user is None and deleted_too:
        user = tenant.deleted_users.get(key.lower())
    if user is None:
        raise HTTPException(404, f"tenant {tenant.organization.slug} has no user {key}")
    return user


def _merged(held: Json, changes: dict[str, str | None]) -> dict[str, Json]:
    merged = (held if isinstance(held, dict) else {}) | changes
    return {name: value for name, value in merged.items() if value is not None}
