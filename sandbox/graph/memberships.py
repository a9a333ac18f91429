"""``/users/{id}/memberOf`` and ``transitiveMemberOf``: a user's groups and active directory roles, mixed."""

from __future__ import annotations

from sandbox.directory.rows import TENANT_SCOPE, User
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.administrative_unit_schema import ADMINISTRATIVE_UNITS
from sandbox.graph.call import Call
from sandbox.graph.directory_role_schema import DIRECTORY_ROLES, role_object
from sandbox.graph.group_schema import GROUPS
from sandbox.graph.operations import Operations
from sandbox.graph.users import live_user

operations = Operations()


@operations.get("/users/{user}/memberOf", permissions.READ_MEMBERSHIPS, lacks=odata.RELATED_LACKS)
def member_of(call: Call) -> Answer:
    user = live_user(call)
    direct = _groups(call, user) + _roles(call, _direct_roles(call, user)) + _units(call, user)
    return _answer(call, "directoryObjects", direct)


@operations.get("/users/{user}/memberOf/graph.directoryRole", permissions.READ_MEMBERSHIPS, lacks=odata.RELATED_LACKS)
def member_of_roles(call: Call) -> Answer:
    return _answer(call, "directoryRoles", _roles(call, _direct_roles(call, live_user(call))))


@operations.get("/users/{user}/memberOf/graph.group", permissions.READ_MEMBERSHIPS, lacks=odata.RELATED_LACKS)
def member_of_groups(call: Call) -> Answer:
    return _answer(call, "groups", _groups(call, live_user(call)))


@operations.get("/users/{user}/transitiveMemberOf", permissions.READ_MEMBERSHIPS, lacks=odata.RELATED_LACKS)
def transitive_member_of(call: Call) -> Answer:
    user = live_user(call)
    found = _groups(call, user) + _roles(call, call.tenant.roles_of(user.id)) + _units(call, user)
    return _answer(call, "directoryObjects", found)


@operations.get(
    "/users/{user}/transitiveMemberOf/graph.directoryRole", permissions.READ_MEMBERSHIPS, lacks=odata.RELATED_LACKS
)
def transitive_member_of_roles(call: Call) -> Answer:
    return _answer(call, "directoryRoles", _roles(call, call.tenant.roles_of(live_user(call).id)))


@operations.get("/users/{user}/transitiveMemberOf/graph.group", permissions.READ_MEMBERSHIPS, lacks=odata.RELATED_LACKS)
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


def _units(call: Call, user: User) -> list[dict[str, Json]]:
    names = odata.selected(call)
    return [
        {"@odata.type": "#microsoft.graph.administrativeUnit"} | ADMINISTRATIVE_UNITS.project(unit, names)
        for unit in call.tenant.administrative_units.find("member", user.id)
    ]


def _roles(call: Call, role_ids: set[str]) -> list[dict[str, Json]]:
    names = odata.selected(call)
    rows = [role_object(call.tenant.id, role_id) for role_id in sorted(role_ids)]
    return [{"@odata.type": "#microsoft.graph.directoryRole"} | DIRECTORY_ROLES.project(row, names) for row in rows]


def _answer(call: Call, entity_set: str, value: list[dict[str, Json]]) -> Answer:
    if entity_set != "directoryObjects":
        # A cast collection is of one type, and one type is not repeated with each item.
        value = [{name: held for name, held in item.items() if name != "@odata.type"} for item in value]
    return odata.related(call, entity_set, value)


@operations.get(
    "/users/{user}/memberOf/graph.administrativeUnit", permissions.READ_MEMBERSHIPS, lacks=odata.RELATED_LACKS
)
def member_of_units(call: Call) -> Answer:
    return _answer(call, "administrativeUnits", _units(call, live_user(call)))
