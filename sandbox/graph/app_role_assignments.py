"""``appRoleAssignments``: who holds a role of an application. Of Microsoft Graph's roles that is consent by API.

What was assigned is a row of the resource; only Graph's own permissions are rows of the principal that holds them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from sandbox.clock import ticks
from sandbox.directory.rows import AppRoleAssignment, ServicePrincipal
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.app_roles import graph_principal_id, permission_of, role_id_of
from sandbox.graph.call import Call
from sandbox.graph.errors import bad_request, not_found, value_required
from sandbox.graph.operations import Operations
from sandbox.graph.service_principals import own_principal, principal
from sandbox.graph.users import live_user

operations = Operations()
_GIVEN = "/servicePrincipals/{principal}/appRoleAssignments"
_GIVEN_BY = "/servicePrincipals/{principal}/appRoleAssignedTo"
_NO_ROLE = str(UUID(int=0))
"""What is assigned of an application that defines no roles: the application itself."""


@dataclass(frozen=True, slots=True)
class _Holder:
    id: str
    display_name: str
    kind: str


@operations.get(_GIVEN, permissions.READ_APPLICATIONS)
def list_given(call: Call) -> Answer:
    """What was granted to this principal."""
    return _collection(call, _held_by(call.tenant, {principal(call).id}))


@operations.get(f"{_GIVEN}/{{assignment}}", permissions.READ_APPLICATIONS)
def get_given(call: Call) -> Answer:
    head: dict[str, Json] = {"@odata.context": odata.context(call, "appRoleAssignments", entity=True)}
    return Answer(200, head | odata.chosen(call, _one(call, _held_by(call.tenant, {principal(call).id}))))


@operations.get("/users/{user}/appRoleAssignments", permissions.READ_USERS_APP_ROLES)
def list_given_to_user(call: Call) -> Answer:
    """What a person holds, as a direct member of a group too (a group of a group gives nothing)."""
    held = live_user(call)
    groups = {group.id for group in call.tenant.groups.find("member", held.id)}
    return _collection(call, _held_by(call.tenant, {held.id, *groups}))


@operations.get(_GIVEN_BY, permissions.READ_APPLICATIONS)
def list_given_by(call: Call) -> Answer:
    """Who was granted something of this principal's: of Microsoft Graph's, everybody with app permissions."""
    return _collection(call, _given_by(call.tenant, principal(call)))


@operations.post(_GIVEN, permissions.GRANT_APP_ROLES)
def give(call: Call) -> Answer:
    """Grant an app permission, or a role of an application. Tokens carry it from the next one on."""
    return _give(call, own_principal(call).id)


@operations.post(_GIVEN_BY, permissions.GRANT_APP_ROLES)
def give_from_resource(call: Call) -> Answer:
    """The same, posted to the resource: to a user or a group too."""
    wanted = call.json_object().get("principalId")
    if not isinstance(wanted, str) or _holder(call.tenant, wanted.lower()) is None:
        raise not_found(str(wanted))
    return _give(call, wanted.lower())


@operations.delete(f"{_GIVEN}/{{assignment}}", permissions.GRANT_APP_ROLES)
def take(call: Call) -> Answer:
    return _take(call, _one(call, _held_by(call.tenant, {own_principal(call).id})))


@operations.delete(f"{_GIVEN_BY}/{{assignment}}", permissions.GRANT_APP_ROLES)
def take_from_resource(call: Call) -> Answer:
    return _take(call, _one(call, _given_by(call.tenant, principal(call))))


def _give(call: Call, holder_id: str) -> Answer:
    body = call.json_object()
    for name in ("principalId", "resourceId", "appRoleId"):
        if not isinstance(body.get(name), str):
            raise value_required(name, "AppRoleAssignment")
    if body["principalId"].lower() != holder_id:
        raise bad_request("The principal of the assignment is not the one in the address.")
    resource_id = body["resourceId"].lower()
    if resource_id == graph_principal_id(call.tenant.id):
        shown = _give_permission(call, holder_id, body["appRoleId"])
    elif resource := call.tenant.service_principals.get(resource_id):
        shown = _assign(call, resource, holder_id, body["appRoleId"].lower())
    else:
        raise not_found(body["resourceId"])
    head: dict[str, Json] = {"@odata.context": f"{call.context_base}appRoleAssignments/$entity"}
    return Answer(201, head | shown)


def _give_permission(call: Call, holder_id: str, role_id: str) -> dict[str, Json]:
    held = call.tenant.service_principals.get(holder_id)
    permission = permission_of(role_id)
    if held is None or permission is None:
        raise bad_request("Permission being assigned was not found on application")
    if permission in held.permissions:
        raise bad_request("Permission being assigned already exists on the object")
    call.tenant.service_principals.put(replace(held, permissions=held.permissions | {permission}))
    return _permission(call.tenant, held, permission)


def _assign(call: Call, resource: ServicePrincipal, holder_id: str, role_id: str) -> dict[str, Json]:
    defined = {role.id for role in resource.app_roles if role.enabled} or {_NO_ROLE}
    if role_id not in defined:
        raise bad_request("Permission being assigned was not found on application")
    if any((one.principal_id, one.role_id) == (holder_id, role_id) for one in resource.assigned):
        raise bad_request("Permission being assigned already exists on the object")
    made = AppRoleAssignment(principal_id=holder_id, role_id=role_id, created=call.exchange.at)
    call.tenant.service_principals.put(replace(resource, assigned=(*resource.assigned, made)))
    return next(_shown_assignments(call.tenant, replace(resource, assigned=(made,))))


def _take(call: Call, one: dict[str, Json]) -> Answer:
    rows = call.tenant.service_principals
    if one["resourceId"] == graph_principal_id(call.tenant.id):
        held = rows.get(one["principalId"])
        assert held is not None, "only those that are there are listed"  # noqa: S101
        kept = {permission for permission in held.permissions if role_id_of(permission) != one["appRoleId"]}
        rows.put(replace(held, permissions=frozenset(kept)))
    else:
        resource = rows.get(one["resourceId"])
        assert resource is not None, "only those that are there are listed"  # noqa: S101
        key = (one["principalId"], one["appRoleId"])
        left = tuple(row for row in resource.assigned if (row.principal_id, row.role_id) != key)
        rows.put(replace(resource, assigned=left))
    return Answer(204)


def _held_by(tenant: Tenant, holders: set[str]) -> list[dict[str, Json]]:
    permitted = [held for holder in holders if (held := tenant.service_principals.get(holder))]
    given = [_permission(tenant, held, permission) for held in permitted for permission in sorted(held.permissions)]
    assigned = (one for resource in tenant.service_principals for one in _shown_assignments(tenant, resource))
    return given + [one for one in assigned if one["principalId"] in holders]


def _given_by(tenant: Tenant, resource: ServicePrincipal) -> list[dict[str, Json]]:
    if resource.id != graph_principal_id(tenant.id):
        return list(_shown_assignments(tenant, resource))
    return [
        _permission(tenant, held, permission)
        for held in tenant.service_principals
        for permission in sorted(held.permissions)
    ]


def _one(call: Call, assignments: list[dict[str, Json]]) -> dict[str, Json]:
    wanted = call.args["assignment"]
    found = next((one for one in assignments if one["id"] == wanted), None)
    if found is None:
        raise not_found(wanted)
    return found


def _holder(tenant: Tenant, object_id: str) -> _Holder | None:
    if person := tenant.users.get(object_id):
        return _Holder(person.id, person.display_name, "User")
    if group := tenant.groups.get(object_id):
        return _Holder(group.id, group.display_name, "Group")
    held = tenant.service_principals.get(object_id)
    return _Holder(held.id, held.display_name, "ServicePrincipal") if held else None


def _shown_assignments(tenant: Tenant, resource: ServicePrincipal) -> Iterator[dict[str, Json]]:
    """Of those who are still there: a deleted person holds nothing, and has it again when restored."""
    for one in resource.assigned:
        if (holder := _holder(tenant, one.principal_id)) is not None:
            yield _shown(holder, (resource.id, resource.display_name), one.role_id, one.created)


def _permission(tenant: Tenant, held: ServicePrincipal, permission: str) -> dict[str, Json]:
    holder = _Holder(held.id, held.display_name, "ServicePrincipal")
    graph = (graph_principal_id(tenant.id), "Microsoft Graph")
    return _shown(holder, graph, role_id_of(permission), held.created)


def _shown(holder: _Holder, resource: tuple[str, str], role_id: str, created: datetime) -> dict[str, Json]:
    packed = UUID(holder.id).bytes_le + uuid5(UUID(holder.id), f"{resource[0]}:{role_id}").bytes_le
    return {
        "id": base64.urlsafe_b64encode(packed).decode().rstrip("="),
        "deletedDateTime": None,
        "appRoleId": role_id,
        "createdDateTime": ticks(created),
        "principalDisplayName": holder.display_name,
        "principalId": holder.id,
        "principalType": holder.kind,
        "resourceDisplayName": resource[1],
        "resourceId": resource[0],
    }


def _collection(call: Call, value: list[dict[str, Json]]) -> Answer:
    names = odata.selected_and_id(call)
    shown = [{name: held for name, held in one.items() if names is None or name in names} for one in value]
    return odata.related(call, "appRoleAssignments", shown)
