"""``/users/{id}/memberOf`` and ``transitiveMemberOf``: a user's groups and active directory roles, mixed."""

from __future__ import annotations

from uuid import UUID, uuid5

from sandbox.directory.roles import built_in_roles
from sandbox.directory.rows import TENANT_SCOPE, User
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.groups import GROUPS
from sandbox.graph.operations import Operations
from sandbox.graph.users import live_user

operations = Operations()


def activated_role_id(tenant_id: str, role_id: str) -> str:
    """The id of a role's object in one tenant: unlike the template's it differs from tenant to tenant."""
    return str(uuid5(UUID(tenant_id), role_id))


@operations.get("/users/{user}/memberOf", permissions.READ_MEMBERSHIPS)
def member_of(call: Call) -> Answer:
    user = live_user(call)
    return _answer(call, "directoryObjects", _groups(call, user) + _roles(call, _direct_roles(call, user)))


@operations.get("/users/{user}/memberOf/graph.directoryRole", permissions.READ_MEMBERSHIPS)
def member_of_roles(call: Call) -> Answer:
    return _answer(call, "directoryRoles", _roles(call, _direct_roles(call, live_user(call))))


@operations.get("/users/{user}/memberOf/graph.group", permissions.READ_MEMBERSHIPS)
def member_of_groups(call: Call) -> Answer:
    return _answer(call, "groups", _groups(call, live_user(call)))


@operations.get("/users/{user}/transitiveMemberOf", permissions.READ_MEMBERSHIPS)
def transitive_member_of(call: Call) -> Answer:
    user = live_user(call)
    return _answer(call, "directoryObjects", _groups(call, user) + _roles(call, call.tenant.roles_of(user.id)))


@operations.get("/users/{user}/transitiveMemberOf/graph.directoryRole", permissions.READ_MEMBERSHIPS)
def transitive_member_of_roles(call: Call) -> Answer:
    return _answer(call, "directoryRoles", _roles(call, call.tenant.roles_of(live_user(call).id)))


@operations.get("/users/{user}/transitiveMemberOf/graph.group", permissions.READ_MEMBERSHIPS)
def transitive_member_of_groups(call: Call) -> Answer:
    return _answer(call, "groups", _groups(call, live_user(call)))


def _direct_roles(call: Call, user: User) -> set[str]:
    held = call.tenant.role_assignments.find("principal", user.id)
    return {assignment.role_id for assignment in held if assignment.scope == TENANT_SCOPE}


def _groups(call: Call, user: User) -> list[dict[str, Json]]:
    names = odata.selected(call)
    return [
        {"@odata.type": "#microsoft.graph.group"} | GROUPS.project(group, names)
        for group in call.tenant.groups.find("member", user.id)
    ]


def _roles(call: Call, role_ids: set[str]) -> list[dict[str, Json]]:
    names = odata.selected(call)
    shown = []
    for role_id in sorted(role_ids):
        role = built_in_roles()[role_id]
        values: dict[str, Json] = {
            "id": activated_role_id(call.tenant.id, role_id),
            "deletedDateTime": None,
            "description": f"Built-in role {role.name}.",
            "displayName": role.name,
            "roleTemplateId": role_id,
        }
        chosen = values if names is None else {name: values[name] for name in names if name in values}
        shown.append({"@odata.type": "#microsoft.graph.directoryRole"} | chosen)
    return shown


def _answer(call: Call, entity_set: str, value: list[dict[str, Json]]) -> Answer:
    if entity_set != "directoryObjects":
        # A cast collection is of one type, and one type is not repeated with each item.
        value = [{name: held for name, held in item.items() if name != "@odata.type"} for item in value]
    return Answer(200, {"@odata.context": odata.context(call, entity_set, entity=False), "value": value})
