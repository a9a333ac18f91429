"""``/groups``: security groups; those that can hold roles are guarded like administrators.

Mail-enabled, dynamic and synchronised ones are made by the seed and the control interface; their members do not change
through Graph.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from sandbox.directory.rows import Group
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.directory_objects import bound, exists, objects, referenced, related_objects
from sandbox.graph.errors import (
    GraphError,
    bad_request,
    denied,
    invalid_value,
    mail_enabled_group,
    not_contained,
    not_found,
    reference_absent,
    reference_exists,
    synced_object,
    value_required,
)
from sandbox.graph.group_schema import GROUPS
from sandbox.graph.licences import has_premium
from sandbox.graph.operations import Operations
from sandbox.graph.protection import require_unrestricted
from sandbox.graph.user_schema import checked_mail_nickname

operations = Operations()
LARGEST_NUMBER_OF_ROLE_ASSIGNABLE_GROUPS = 500
_REQUIRED = ("displayName", "mailEnabled", "mailNickname", "securityEnabled")
_CHANGEABLE = {
    "displayName": "display_name",
    "description": "description",
    "mailNickname": "mail_nickname",
    "visibility": "visibility",
}


def live_group(call: Call) -> Group:
    """The group that the path names. Raises 404."""
    group = call.tenant.groups.get(call.args["group"].lower())
    if group is None:
        raise not_found(call.args["group"])
    return group


@operations.get("/groups", permissions.READ_MEMBERSHIPS)
def list_groups(call: Call) -> Answer:
    return odata.collection(call, GROUPS, call.tenant.groups.in_order())


@operations.get("/groups/$count", permissions.READ_MEMBERSHIPS)
def count_groups(call: Call) -> Answer:
    return odata.count(call, GROUPS, call.tenant.groups)


@operations.get("/groups/{group}", permissions.READ_MEMBERSHIPS)
def get_group(call: Call) -> Answer:
    return odata.entity(call, GROUPS, live_group(call))


@operations.post("/groups", permissions.CREATE_GROUPS, lacks="dynamic groups")
def create_group(call: Call) -> Answer:
    """Make a security or a Microsoft 365 group. Whether it can hold roles is decided here and never again."""
    body = call.json_object()
    for name in _REQUIRED:
        if body.get(name) is None:
            raise value_required(name, "Group")
    unified = _is_unified(body)
    assignable = body.get("isAssignableToRole") is True
    if assignable:
        _require_role_assignable_is_allowed(call)
    members, owners = (frozenset(_existing(call, bound(body, name))) for name in ("members", "owners"))
    nickname = checked_mail_nickname(body["mailNickname"])
    group = Group(
        id=str(uuid4()),
        display_name=_text(body, "displayName"),
        description=body.get("description"),
        created=call.exchange.at,
        is_assignable_to_role=assignable,
        members=members,
        owners=owners,
        mail_nickname=nickname,
        visibility=body.get("visibility"),
        security_enabled=body["securityEnabled"],
        mail_enabled=unified,
        is_unified=unified,
        mail=f"{nickname}@{call.tenant.organization.initial_domain}" if unified else None,
    )
    call.tenant.groups.put(group)
    return odata.entity(call, GROUPS, group, 201)


@operations.patch("/groups/{group}", permissions.WRITE_MEMBERSHIPS)
def update_group(call: Call) -> Answer:
    group = live_group(call)
    body = {name: value for name, value in call.json_object().items() if name != "@odata.type"}
    _require_authority(call, group)
    if "isAssignableToRole" in body and body["isAssignableToRole"] != (group.is_assignable_to_role or None):
        raise bad_request("Property 'isAssignableToRole' is immutable and cannot be updated.")
    added = _existing(call, bound(body, "members"))
    if added:
        _require_assigned_members(group)
    if len(added) > 20:
        raise bad_request("At most 20 members can be added in one request.")
    if set(added) & group.members:
        raise reference_exists()
    changes = {
        name: value for name, value in body.items() if "@odata.bind" not in name and name != "isAssignableToRole"
    }
    if unknown := next((name for name in changes if name not in _CHANGEABLE), None):
        raise bad_request(f"Property '{unknown}' cannot be updated by this sandbox or does not exist.")
    if changes.keys() and not call.actor.permissions & permissions.WRITE_GROUPS:
        raise denied()
    values = {_CHANGEABLE[name]: value for name, value in changes.items()}
    call.tenant.groups.put(replace(group, members=group.members | set(added), **values))
    return Answer(204)


@operations.delete("/groups/{group}", permissions.WRITE_GROUPS, lacks="soft deletion: a group is gone at once")
def delete_group(call: Call) -> Answer:
    group = live_group(call)
    _require_authority(call, group)
    for held in call.tenant.role_assignments.find("principal", group.id):
        call.tenant.take_role(held.id)
    for unit in call.tenant.administrative_units.find("member", group.id):
        call.tenant.administrative_units.put(replace(unit, members=unit.members - {group.id}))
    call.tenant.groups.remove(group.id)
    return Answer(204)


@operations.get("/groups/{group}/members", permissions.READ_MEMBERSHIPS)
def list_members(call: Call) -> Answer:
    return objects(call, live_group(call).members)


@operations.get("/groups/{group}/members/$count", permissions.READ_MEMBERSHIPS)
def count_members(call: Call) -> Answer:
    return objects(call, live_group(call).members)


@operations.get("/groups/{group}/members/graph.user", permissions.READ_MEMBERSHIPS)
def list_member_users(call: Call) -> Answer:
    return objects(call, live_group(call).members, "graph.user")


@operations.get("/groups/{group}/transitiveMembers", permissions.READ_MEMBERSHIPS)
def list_transitive_members(call: Call) -> Answer:
    return objects(call, _transitive_members(call, live_group(call)))


@operations.get("/groups/{group}/owners", permissions.READ_MEMBERSHIPS)
def list_owners(call: Call) -> Answer:
    return objects(call, live_group(call).owners)


@operations.post("/groups/{group}/members/$ref", permissions.WRITE_MEMBERSHIPS)
def add_member(call: Call) -> Answer:
    group = live_group(call)
    _require_authority(call, group)
    member = referenced(call, "Group")
    _require_assigned_members(group)
    if member in group.members:
        raise reference_exists()
    if member in call.tenant.groups and group.is_assignable_to_role:
        raise bad_request("Nested groups are not supported for groups that can be assigned to a role.")
    call.tenant.groups.put(replace(group, members=group.members | {member}))
    return Answer(204)


@operations.delete("/groups/{group}/members/{member}/$ref", permissions.WRITE_MEMBERSHIPS)
def remove_member(call: Call) -> Answer:
    group = live_group(call)
    _require_authority(call, group)
    member = call.args["member"].lower()
    if not exists(call.tenant, member):
        raise not_found(call.args["member"])
    _require_assigned_members(group)
    if member not in group.members:
        raise reference_absent()
    call.tenant.groups.put(replace(group, members=group.members - {member}))
    return Answer(204)


@operations.delete("/groups/{group}/members/{member}", permissions.WRITE_MEMBERSHIPS)
def refuse_to_delete_member(_: Call) -> Answer:
    """Without ``/$ref`` the request names the member itself."""
    raise not_contained()


@operations.post("/groups/{group}/owners/$ref", permissions.WRITE_GROUPS)
def add_owner(call: Call) -> Answer:
    group = live_group(call)
    _require_authority(call, group)
    owner = referenced(call, "Group")
    if owner in group.owners:
        raise reference_exists("owners")
    call.tenant.groups.put(replace(group, owners=group.owners | {owner}))
    return Answer(204)


@operations.delete("/groups/{group}/owners/{owner}/$ref", permissions.WRITE_GROUPS)
def remove_owner(call: Call) -> Answer:
    group = live_group(call)
    _require_authority(call, group)
    owner = call.args["owner"].lower()
    if owner not in group.owners:
        raise reference_absent("owners")
    call.tenant.groups.put(replace(group, owners=group.owners - {owner}))
    return Answer(204)


def _transitive_members(call: Call, group: Group) -> set[str]:
    found: set[str] = set()
    waiting = [group]
    while waiting:
        new = waiting.pop().members - found
        found |= new
        waiting += [held for one in new if (held := call.tenant.groups.get(one))]
    return found


for _name, _ids in {
    "members": lambda _, group: group.members,
    "owners": lambda _, group: group.owners,
    "transitiveMembers": _transitive_members,
}.items():
    related_objects("Group", _name, _ids)


def _is_unified(body: dict[str, Json]) -> bool:
    """Whether a Microsoft 365 group is wanted. Raises for what is neither that nor a security group."""
    _text(body, "displayName")
    for name in ("mailEnabled", "securityEnabled"):
        if not isinstance(body[name], bool):
            raise invalid_value(name, "Group")
    types = body.get("groupTypes") or []
    if types == ["Unified"] and body["mailEnabled"]:
        return True
    if types or body["mailEnabled"]:
        # The reference: Graph makes neither distribution lists nor mail-enabled security groups.
        raise bad_request(
            "The service does not currently support writes of mail-enabled groups. "
            "Please ensure that the mail-enablement property is unset and the security-enablement property is set."
        )
    if not body["securityEnabled"]:
        raise invalid_value("securityEnabled", "Group")
    return False


def _require_role_assignable_is_allowed(call: Call) -> None:
    if not call.actor.permissions & permissions.WRITE_ROLES:
        raise denied()
    if not has_premium(call.tenant):
        raise GraphError(400, "Request_BadRequest", "The tenant needs a Microsoft Entra ID P1 license for this.")
    existing = sum(group.is_assignable_to_role for group in call.tenant.groups)
    if existing >= LARGEST_NUMBER_OF_ROLE_ASSIGNABLE_GROUPS:
        raise bad_request("The maximum number of groups that can be assigned to a role has been reached.")


def _text(body: dict[str, Json], name: str) -> str:
    value = body[name]
    if not isinstance(value, str) or not 1 <= len(value) <= 256:
        raise invalid_value(name, "Group")
    return value


def _existing(call: Call, ids: list[str]) -> list[str]:
    if missing := next((one for one in ids if not exists(call.tenant, one)), None):
        raise not_found(missing)
    return ids


def _require_assigned_members(group: Group) -> None:
    """Raises what Graph says of a group whose members it cannot change."""
    if group.is_synced:
        raise synced_object()
    if group.mail_enabled and not group.is_unified:
        raise mail_enabled_group()
    if group.is_dynamic:
        # In these words, though nothing is lacking: CIPP#468, and Microsoft's "Troubleshoot 403 error when adding a
        # user to a group" (SupportArticles-docs, 21 April 2025).
        raise denied()


def _require_authority(call: Call, group: Group) -> None:
    if group.is_assignable_to_role and not call.actor.permissions & permissions.WRITE_ROLES:
        raise denied()
    require_unrestricted(call, group.id)
