"""``/roleManagement/directory``: role definitions, and who holds them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.directory.records import ScheduleRequest
from sandbox.directory.roles import (
    DIRECTORY_READERS,
    RoleDefinition,
    assignment_id,
    built_in_roles,
)
from sandbox.directory.rows import TENANT_SCOPE, RoleAssignment
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.directory_objects import shown
from sandbox.graph.errors import already_assigned, bad_request, not_found, unsupported_query, value_required
from sandbox.graph.expand import relationship
from sandbox.graph.operations import Operations
from sandbox.graph.role_rules import require_assignable, require_removable

operations = Operations()
_ROOT = "/roleManagement/directory"


@dataclass(frozen=True, slots=True)
class _Definition:
    """A role definition as a row."""

    id: str
    role: RoleDefinition


_DEFINITION_PROPERTIES: tuple[str, ...] = (
    "id",
    "description",
    "displayName",
    "isBuiltIn",
    "isEnabled",
    "resourceScopes",
    "templateId",
    "version",
)


def _definition_value(row: _Definition, name: str) -> Json:
    values: dict[str, Json] = {
        "id": row.id,
        "description": row.role.description,
        "displayName": row.role.name,
        "isBuiltIn": True,
        "isEnabled": True,
        "resourceScopes": [TENANT_SCOPE],
        "templateId": row.role.template_id,
        "version": "1",
    }
    return values[name]


DEFINITIONS: odata.Shape[_Definition] = odata.Shape(
    entity_set="roleManagement/directory/roleDefinitions",
    resource="UnifiedRoleDefinition",
    properties=frozenset(_DEFINITION_PROPERTIES),
    default=_DEFINITION_PROPERTIES,
    value_of=_definition_value,
)
_ASSIGNMENT_PROPERTIES = {
    "id": "id",
    "principalId": "principal_id",
    "directoryScopeId": "scope",
    "roleDefinitionId": "role_id",
}
ASSIGNMENTS: odata.Shape[RoleAssignment] = odata.Shape(
    entity_set="roleManagement/directory/roleAssignments",
    resource="UnifiedRoleAssignment",
    properties=frozenset(_ASSIGNMENT_PROPERTIES),
    default=tuple(_ASSIGNMENT_PROPERTIES),
    value_of=lambda row, name: getattr(row, _ASSIGNMENT_PROPERTIES[name]),
)


@operations.get(
    f"{_ROOT}/roleDefinitions",
    permissions.READ_ROLES,
    lacks="custom roles; rolePermissions, which are left out, and refused when selected",
)
def list_definitions(call: Call) -> Answer:
    _refuse_permissions(call)
    rows = [_Definition(role.template_id, role) for role in built_in_roles().values()]
    answer = odata.collection(call, DEFINITIONS, rows, page=len(rows))
    if odata.selected(call) is None:
        for item in answer.body["value"]:
            item.update(_inheritance(call, item["id"]))
    return answer


@operations.get(f"{_ROOT}/roleDefinitions/{{role}}", permissions.READ_ROLES)
def get_definition(call: Call) -> Answer:
    role = built_in_roles().get(call.args["role"].lower())
    if role is None:
        raise not_found(call.args["role"])
    _refuse_permissions(call)
    answer = odata.entity(call, DEFINITIONS, _Definition(role.template_id, role))
    if odata.selected(call) is None:
        answer.body.update(_inheritance(call, role.template_id))
    return answer


@operations.get(f"{_ROOT}/roleAssignments", permissions.READ_ROLES)
def list_assignments(call: Call) -> Answer:
    return odata.collection(call, ASSIGNMENTS, _candidates(call))


@operations.get(f"{_ROOT}/roleAssignments/{{assignment}}", permissions.READ_ROLES)
def get_assignment(call: Call) -> Answer:
    return odata.entity(call, ASSIGNMENTS, _assignment(call))


@operations.post(f"{_ROOT}/roleAssignments", permissions.WRITE_ROLES)
def create_assignment(call: Call) -> Answer:
    """Give a role. The same again is a 400, and the id is the same every time: see ``roles.assignment_id``."""
    body = call.json_object()
    role_id, principal_id, scope = _asked(body)
    require_assignable(call, role_id, principal_id, scope)
    if assignment_id(role_id, principal_id, scope) in call.tenant.role_assignments:
        raise already_assigned()
    held = call.tenant.assign_role(role_id, principal_id, scope)
    return odata.entity(call, ASSIGNMENTS, held, 201)


@operations.delete(f"{_ROOT}/roleAssignments/{{assignment}}", permissions.WRITE_ROLES)
def delete_assignment(call: Call) -> Answer:
    """Take a role. An account cannot take its own, and the last Global Administrator keeps theirs."""
    held = _assignment(call)
    require_removable(call, held)
    call.tenant.take_role(held.id)
    return Answer(204)


_OF_ONE_PRINCIPAL = re.compile(r"^\s*principalId\s+eq\s+'([^']+)'\s*(?:and\s[^()]*)?$", re.IGNORECASE)


def _candidates(call: Call) -> Sequence[RoleAssignment]:
    """The assignments that a filter can select at all: those of one principal need no look at everybody's."""
    text = call.query.get("$filter", "")
    named = _OF_ONE_PRINCIPAL.match(text)
    if named is None or " or " in text.lower():
        return call.tenant.role_assignments.in_order()
    held = call.tenant.role_assignments.find("principal", named[1].lower())
    return sorted(held, key=lambda assignment: assignment.id)


def _assignment(call: Call) -> RoleAssignment:
    held = call.tenant.role_assignments.get(call.args["assignment"])
    if held is None:
        raise not_found(call.args["assignment"])
    return held


def _asked(body: dict[str, Json]) -> tuple[str, str, str]:
    for name in ("roleDefinitionId", "principalId"):
        if not isinstance(body.get(name), str):
            raise value_required(name, "RoleAssignment")
    if "directoryScopeId" in body and "appScopeId" in body:
        raise bad_request("Only one of directoryScopeId and appScopeId can be specified.")
    scope = body.get("directoryScopeId")
    if not isinstance(scope, str) or not scope.startswith("/"):
        raise value_required("directoryScopeId", "RoleAssignment")
    return body["roleDefinitionId"].lower(), body["principalId"].lower(), scope


def _refuse_permissions(call: Call) -> None:
    """What each role may do is Microsoft's catalogue, which is not here: an empty list would be believed."""
    if "rolePermissions" in (odata.selected(call) or ()):
        raise unsupported_query("Property 'rolePermissions' is not served by this sandbox.")


def _inheritance(call: Call, role_id: str) -> dict[str, Json]:
    address = f"{call.context_base}{DEFINITIONS.entity_set}('{role_id}')/inheritsPermissionsFrom"
    parents = [] if role_id == DIRECTORY_READERS else [{"id": DIRECTORY_READERS}]
    return {"inheritsPermissionsFrom@odata.context": address, "inheritsPermissionsFrom": parents}


def principal_shown(call: Call, principal_id: str) -> Json:
    """Who holds a role, with everything that is kept: more than the default properties (docs-contrib#8876)."""
    return shown(call.tenant, principal_id, everything=True)


def definition_shown(role_id: str) -> dict[str, Json]:
    """The role that is held."""
    role = built_in_roles()[role_id]
    return DEFINITIONS.project(_Definition(role.template_id, role), None)


# A selection inside is passed over for assignments (docs-contrib#8876) and refused for what belongs to PIM (#9157).
for _resource, _selects in {"UnifiedRoleAssignment": True, "UnifiedRoleScheduleRequest": False}.items():

    @relationship(_resource, "principal", selects=_selects)
    def _principal(call: Call, held: RoleAssignment | ScheduleRequest, _: Sequence[str] | None) -> Json:
        return principal_shown(call, held.principal_id)

    @relationship(_resource, "roleDefinition", selects=_selects)
    def _definition(_: Call, held: RoleAssignment | ScheduleRequest, __: Sequence[str] | None) -> Json:
        return definition_shown(held.role_id)
