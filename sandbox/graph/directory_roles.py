"""``/directoryRoles`` and ``/directoryRoleTemplates``: the older view of the rows that role assignments are.

Only activated roles are listed. A role is activated by ``POST``, or by being given to an account through any interface,
and stays so. Members are those who hold it over the whole tenant.
"""

from __future__ import annotations

from sandbox.directory.records import ActivatedRole
from sandbox.directory.roles import GLOBAL_ADMINISTRATOR, assignment_id, built_in_roles
from sandbox.directory.rows import TENANT_SCOPE
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.directory_objects import exists, objects, referenced, related_objects
from sandbox.graph.directory_role_schema import DIRECTORY_ROLES, RoleObject, role_object
from sandbox.graph.errors import (
    already_assigned,
    not_found,
    reference_absent,
    reference_exists,
    value_required,
)
from sandbox.graph.operations import Operations
from sandbox.graph.role_rules import require_assignable, require_removable

operations = Operations()
_MEMBERS = "/directoryRoles/{role}/members"


@operations.get("/directoryRoles", permissions.READ_ROLES)
def list_roles(call: Call) -> Answer:
    """The activated roles, all at once: this collection does not page."""
    rows = [role_object(call.tenant.id, role_id) for role_id in activated(call)]
    return odata.collection(call, DIRECTORY_ROLES, rows, page=max(1, len(rows)))


@operations.get("/directoryRoles/{role}", permissions.READ_ROLES)
def get_role(call: Call) -> Answer:
    return odata.entity(call, DIRECTORY_ROLES, _role(call))


@operations.post("/directoryRoles", permissions.WRITE_ROLES)
def activate(call: Call) -> Answer:
    """Activate a role; one that is active already is a conflict."""
    template = call.json_object().get("roleTemplateId")
    if not isinstance(template, str):
        raise value_required("roleTemplateId", "DirectoryRole")
    role = built_in_roles().get(template.lower())
    if role is None or not role.assignable:
        raise not_found(template)
    if role.template_id in activated(call):
        raise already_assigned()
    call.tenant.activated_roles.put(ActivatedRole(id=role.template_id))
    return odata.entity(call, DIRECTORY_ROLES, role_object(call.tenant.id, role.template_id), 201)


@operations.get(_MEMBERS, permissions.READ_ROLES)
def list_members(call: Call) -> Answer:
    return objects(call, _holders(call, _role(call)))


@operations.get(f"{_MEMBERS}/graph.user", permissions.READ_ROLES)
def list_member_users(call: Call) -> Answer:
    return objects(call, _holders(call, _role(call)), "graph.user")


@operations.post(f"{_MEMBERS}/$ref", permissions.WRITE_ROLES)
def add_member(call: Call) -> Answer:
    role = _role(call).role.template_id
    principal = referenced(call, "DirectoryRole")
    require_assignable(call, role, principal)
    if assignment_id(role, principal) in call.tenant.role_assignments:
        raise reference_exists()
    call.tenant.assign_role(role, principal)
    return Answer(204)


@operations.delete(f"{_MEMBERS}/{{member}}/$ref", permissions.WRITE_ROLES)
def remove_member(call: Call) -> Answer:
    role = _role(call).role.template_id
    principal = call.args["member"].lower()
    if not exists(call.tenant, principal):
        raise not_found(call.args["member"])
    held = call.tenant.role_assignments.get(assignment_id(role, principal))
    if held is None:
        raise reference_absent()
    require_removable(call, held)
    call.tenant.take_role(held.id)
    return Answer(204)


@operations.get("/directoryRoleTemplates", permissions.READ_ROLES)
def list_templates(call: Call) -> Answer:
    """Every template, the implicit ones that must not be given included."""
    body: dict[str, Json] = {"@odata.context": odata.context(call, "directoryRoleTemplates", entity=False)}
    return Answer(200, body | {"value": [_template(call, role_id) for role_id in built_in_roles()]})


@operations.get("/directoryRoleTemplates/{template}", permissions.READ_ROLES)
def get_template(call: Call) -> Answer:
    role_id = call.args["template"].lower()
    if role_id not in built_in_roles():
        raise not_found(call.args["template"])
    body: dict[str, Json] = {"@odata.context": odata.context(call, "directoryRoleTemplates", entity=True)}
    return Answer(200, body | _template(call, role_id))


def activated(call: Call) -> list[str]:
    """The template ids of the roles that this tenant has as objects."""
    return sorted({GLOBAL_ADMINISTRATOR, *(row.id for row in call.tenant.activated_roles)})


def _role(call: Call) -> RoleObject:
    """The activated role that the path names, by its own id or as ``roleTemplateId=...``. Raises 404."""
    key = call.args["role"].lower()
    wanted = key.removeprefix("roletemplateid=").strip("'")
    by_template = key.startswith("roletemplateid=")
    for role_id in activated(call):
        row = role_object(call.tenant.id, role_id)
        if wanted == (role_id if by_template else row.id):
            return row
    raise not_found(wanted)


def _holders(call: Call, row: RoleObject) -> list[str]:
    held = call.tenant.role_assignments.find("role", row.role.template_id)
    return [assignment.principal_id for assignment in held if assignment.scope == TENANT_SCOPE]


def _template(call: Call, role_id: str) -> dict[str, Json]:
    role = built_in_roles()[role_id]
    values: dict[str, Json] = {
        "id": role_id,
        "deletedDateTime": None,
        "description": role.description,
        "displayName": role.name,
    }
    return odata.chosen(call, values)


related_objects("DirectoryRole", "members", _holders)
