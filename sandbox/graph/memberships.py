"""``/users/{id}/memberOf`` and ``transitiveMemberOf``: a user's groups, active directory roles and units, mixed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sandbox.directory.rows import TENANT_SCOPE, Group, User
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.administrative_unit_schema import ADMINISTRATIVE_UNITS
from sandbox.graph.call import Call
from sandbox.graph.directory_role_schema import DIRECTORY_ROLES, role_object
from sandbox.graph.errors import bad_request, value_required
from sandbox.graph.expand import relationship
from sandbox.graph.group_schema import GROUPS
from sandbox.graph.operations import Operations
from sandbox.graph.users import live_user

operations = Operations()
_MOST_CHECKED = 20
Items = list[dict[str, Json]]
Members = Callable[[Call, User, "Sequence[str] | None"], Items]


def _groups(call: Call, user: User, names: Sequence[str] | None) -> Items:
    return [
        {"@odata.type": "#microsoft.graph.group"} | GROUPS.project(group, names)
        for group in call.tenant.groups.find("member", user.id)
    ]


def _all_groups(call: Call, user: User, names: Sequence[str] | None) -> Items:
    found: dict[str, Group] = {}
    waiting = [user.id]
    while waiting:
        for group in call.tenant.groups.find("member", waiting.pop()):
            if group.id not in found:
                found[group.id] = group
                waiting.append(group.id)
    return [{"@odata.type": "#microsoft.graph.group"} | GROUPS.project(group, names) for group in found.values()]


def _units(call: Call, user: User, names: Sequence[str] | None) -> Items:
    return [
        {"@odata.type": "#microsoft.graph.administrativeUnit"} | ADMINISTRATIVE_UNITS.project(unit, names)
        for unit in call.tenant.administrative_units.find("member", user.id)
    ]


def _direct_roles(call: Call, user: User, names: Sequence[str] | None) -> Items:
    held = call.tenant.role_assignments.find("principal", user.id)
    return _roles(call, {assignment.role_id for assignment in held if assignment.scope == TENANT_SCOPE}, names)


def _all_roles(call: Call, user: User, names: Sequence[str] | None) -> Items:
    return _roles(call, call.tenant.roles_of(user.id), names)


def _roles(call: Call, role_ids: Iterable[str], names: Sequence[str] | None) -> Items:
    rows = [role_object(call.tenant.id, role_id) for role_id in sorted(role_ids)]
    return [{"@odata.type": "#microsoft.graph.directoryRole"} | DIRECTORY_ROLES.project(row, names) for row in rows]


@relationship("User", "memberOf")
def member_of(call: Call, user: User, names: Sequence[str] | None) -> Items:
    """What the user belongs to directly."""
    return _groups(call, user, names) + _direct_roles(call, user, names) + _units(call, user, names)


@relationship("User", "transitiveMemberOf")
def transitive_member_of(call: Call, user: User, names: Sequence[str] | None) -> Items:
    """What the user belongs to, be it through a group."""
    return _all_groups(call, user, names) + _all_roles(call, user, names) + _units(call, user, names)


def _serve(path: str, entity_set: str, members: Members) -> None:
    @operations.get(f"/users/{{user}}/{path}", permissions.READ_MEMBERSHIPS)
    def list_members(call: Call) -> Answer:
        value = members(call, live_user(call), odata.selected_and_id(call))
        if entity_set != "directoryObjects":
            # A cast collection is of one type, and one type is not repeated with each item.
            value = [{name: held for name, held in item.items() if name != "@odata.type"} for item in value]
        return odata.related(call, entity_set, value)


_serve("memberOf", "directoryObjects", member_of)
_serve("memberOf/graph.administrativeUnit", "administrativeUnits", _units)
_serve("memberOf/graph.directoryRole", "directoryRoles", _direct_roles)
_serve("memberOf/graph.group", "groups", _groups)
_serve("transitiveMemberOf", "directoryObjects", transitive_member_of)
_serve("transitiveMemberOf/graph.directoryRole", "directoryRoles", _all_roles)
_serve("transitiveMemberOf/graph.group", "groups", _all_groups)


@operations.post("/users/{user}/getMemberGroups", permissions.READ_MEMBERSHIPS)
def get_member_groups(call: Call) -> Answer:
    """The ids of the groups that the user is in, be it through others."""
    return _ids(call, _all_groups)


@operations.post("/users/{user}/getMemberObjects", permissions.READ_MEMBERSHIPS)
def get_member_objects(call: Call) -> Answer:
    """As above, with directory roles and administrative units."""
    return _ids(call, transitive_member_of)


@operations.post("/users/{user}/checkMemberGroups", permissions.READ_MEMBERSHIPS)
def check_member_groups(call: Call) -> Answer:
    """Which of these groups the user is in."""
    user, asked = live_user(call), call.json_object().get("groupIds")
    if not isinstance(asked, list) or not asked:
        raise value_required("groupIds")
    if len(asked) > _MOST_CHECKED:
        raise bad_request(f"The number of group ids exceeds the maximum of {_MOST_CHECKED}.")
    held = {item["id"] for item in _all_groups(call, user, ["id"])}
    return _strings(call, [one for one in asked if str(one).lower() in held])


def _ids(call: Call, members: Members) -> Answer:
    user, only = live_user(call), call.json_object().get("securityEnabledOnly")
    if not isinstance(only, bool):
        raise value_required("securityEnabledOnly")
    items = members(call, user, ["id", "securityEnabled"])
    return _strings(call, sorted(item["id"] for item in items if item.get("securityEnabled", not only) or not only))


def _strings(call: Call, value: list[str]) -> Answer:
    return Answer(200, {"@odata.context": f"{call.context_base}Collection(Edm.String)", "value": value})
