"""Making groups and changing what kind they are, as an administrator of the tenant or of Exchange could."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandbox.app import Sandbox
from sandbox.control.requests import GroupChangesBody, NewGroupBody
from sandbox.control.tenants import tenant_of
from sandbox.directory.rows import Group
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Json
from sandbox.planting import derived_id

_FIELDS = {
    "role_assignable": "is_assignable_to_role",
    "security_enabled": "security_enabled",
    "mail_enabled": "mail_enabled",
    "dynamic": "is_dynamic",
    "synced": "is_synced",
}


class GroupControl:
    """The routes under ``/sandbox/tenants/{tenant}/groups``."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def list_all(self, request: Request) -> Json:
        return [_shown(group) for group in tenant_of(self._sandbox, request).groups.in_order()]

    async def create(self, request: Request) -> Json:
        """A group of that name that is there already stays as it is."""
        tenant = tenant_of(self._sandbox, request)
        body = NewGroupBody.model_validate_json(await request.body())
        group = find_group(tenant, body.name)
        if group is None:
            group = new_group(tenant, body, self._sandbox.clock.now())
            tenant.groups.put(group)
        return _shown(group)

    async def change(self, request: Request) -> Json:
        tenant = tenant_of(self._sandbox, request)
        group = find_group(tenant, request.path_params["group"])
        if group is None:
            raise HTTPException(404, f"tenant {tenant.organization.slug} has no such group")
        body = GroupChangesBody.model_validate_json(await request.body())
        changes = body.model_dump(exclude_none=True)
        changed = replace(group, **{_FIELDS[name]: value for name, value in changes.items()})
        tenant.groups.put(changed)
        return _shown(changed)

    async def delete(self, request: Request) -> Json:
        tenant = tenant_of(self._sandbox, request)
        if group := find_group(tenant, request.path_params["group"]):
            tenant.groups.remove(group.id)
        return {}


def find_group(tenant: Tenant, name: str) -> Group | None:
    """The group of this name, in any case, or id."""
    wanted = name.lower()
    return next((group for group in tenant.groups if wanted in {group.display_name.lower(), group.id}), None)


def new_group(tenant: Tenant, body: NewGroupBody, at: datetime) -> Group:
    """A group without members, which is not the tenant's yet."""
    return Group(
        id=str(body.id) if body.id else derived_id(tenant.id, "group", body.name),
        display_name=body.name,
        created=at,
        is_assignable_to_role=body.role_assignable,
        security_enabled=body.security_enabled,
        mail_enabled=body.mail_enabled or body.unified,
        is_unified=body.unified,
        is_dynamic=body.dynamic,
        is_synced=body.synced,
    )


def _shown(group: Group) -> dict[str, Json]:
    return {
        "id": group.id,
        "name": group.display_name,
        "members": sorted(group.members),
        "role_assignable": group.is_assignable_to_role,
        "security_enabled": group.security_enabled,
        "mail_enabled": group.mail_enabled,
        "dynamic": group.is_dynamic,
        "synced": group.is_synced,
    }
