"""``/servicePrincipals/{id}/appRoleAssignments``: app permissions as rows; to create one is consent by API."""

from __future__ import annotations

import base64
from dataclasses import replace
from uuid import UUID, uuid5

from sandbox.clock import ticks
from sandbox.directory.rows import ServicePrincipal
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.app_roles import graph_principal_id, permission_of, role_id_of
from sandbox.graph.call import Call
from sandbox.graph.errors import bad_request, not_found, value_required
from sandbox.graph.operations import Operations
from sandbox.graph.service_principals import own_principal, principal

operations = Operations()
_GIVEN = "/servicePrincipals/{principal}/appRoleAssignments"
_GIVEN_BY = "/servicePrincipals/{principal}/appRoleAssignedTo"


@operations.get(_GIVEN, permissions.READ_APPLICATIONS)
def list_given(call: Call) -> Answer:
    """What was granted to this principal."""
    return _collection(call, _assignments(call, principal(call)))


@operations.get(f"{_GIVEN}/{{assignment}}", permissions.READ_APPLICATIONS)
def get_given(call: Call) -> Answer:
    head: dict[str, Json] = {"@odata.context": odata.context(call, "appRoleAssignments", entity=True)}
    return Answer(200, head | odata.chosen(call, _one(call, principal(call))))


@operations.get(_GIVEN_BY, permissions.READ_APPLICATIONS)
def list_given_by(call: Call) -> Answer:
    """Who was granted something of this principal's: of Microsoft Graph's, everybody with app permissions."""
    if principal(call).id != graph_principal_id(call.tenant.id):
        return _collection(call, [])
    return _collection(call, [one for held in call.tenant.service_principals for one in _assignments(call, held)])


@operations.post(_GIVEN, permissions.GRANT_APP_ROLES, lacks="resources other than Microsoft Graph")
def give(call: Call) -> Answer:
    """Grant an app permission. Tokens carry it from the next one on."""
    return _give(call, own_principal(call))


@operations.post(_GIVEN_BY, permissions.GRANT_APP_ROLES, lacks="resources other than Microsoft Graph")
def give_from_resource(call: Call) -> Answer:
    """The same, posted to the resource."""
    wanted = call.json_object().get("principalId")
    held = call.tenant.service_principals.get(wanted.lower()) if isinstance(wanted, str) else None
    if held is None:
        raise not_found(str(wanted))
    return _give(call, held)


@operations.delete(f"{_GIVEN}/{{assignment}}", permissions.GRANT_APP_ROLES)
def take(call: Call) -> Answer:
    held = own_principal(call)
    _take(call, held, _one(call, held))
    return Answer(204)


@operations.delete(f"{_GIVEN_BY}/{{assignment}}", permissions.GRANT_APP_ROLES)
def take_from_resource(call: Call) -> Answer:
    for held in call.tenant.service_principals:
        for one in _assignments(call, held):
            if one["id"] == call.args["assignment"]:
                _take(call, held, one)
                return Answer(204)
    raise not_found(call.args["assignment"])


def _give(call: Call, held: ServicePrincipal) -> Answer:
    body = call.json_object()
    for name in ("principalId", "resourceId", "appRoleId"):
        if not isinstance(body.get(name), str):
            raise value_required(name, "AppRoleAssignment")
    if body["principalId"].lower() != held.id:
        raise bad_request("The principal of the assignment is not the one in the address.")
    if body["resourceId"].lower() != graph_principal_id(call.tenant.id):
        raise not_found(body["resourceId"])
    permission = permission_of(body["appRoleId"])
    if permission is None:
        raise bad_request("Permission being assigned was not found on application")
    if permission in held.permissions:
        raise bad_request("Permission being assigned already exists on the object")
    granted = replace(held, permissions=held.permissions | {permission})
    call.tenant.service_principals.put(granted)
    head: dict[str, Json] = {"@odata.context": f"{call.context_base}appRoleAssignments/$entity"}
    return Answer(201, head | _shown(call, granted, permission))


def _take(call: Call, held: ServicePrincipal, one: dict[str, Json]) -> None:
    kept = {permission for permission in held.permissions if role_id_of(permission) != one["appRoleId"]}
    call.tenant.service_principals.put(replace(held, permissions=frozenset(kept)))


def _assignments(call: Call, held: ServicePrincipal) -> list[dict[str, Json]]:
    return [_shown(call, held, permission) for permission in sorted(held.permissions)]


def _one(call: Call, held: ServicePrincipal) -> dict[str, Json]:
    wanted = call.args["assignment"]
    found = next((one for one in _assignments(call, held) if one["id"] == wanted), None)
    if found is None:
        raise not_found(wanted)
    return found


def _shown(call: Call, held: ServicePrincipal, permission: str) -> dict[str, Json]:
    packed = UUID(held.id).bytes_le + uuid5(UUID(held.id), permission).bytes_le
    return {
        "id": base64.urlsafe_b64encode(packed).decode().rstrip("="),
        "deletedDateTime": None,
        "appRoleId": role_id_of(permission),
        "createdDateTime": ticks(held.created),
        "principalDisplayName": held.display_name,
        "principalId": held.id,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": "Microsoft Graph",
        "resourceId": graph_principal_id(call.tenant.id),
    }


def _collection(call: Call, value: list[dict[str, Json]]) -> Answer:
    names = odata.selected_and_id(call)
    shown = [{name: held for name, held in one.items() if names is None or name in names} for one in value]
    return odata.related(call, "appRoleAssignments", shown)
