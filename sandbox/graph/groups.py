"""``/groups``: security groups with assigned members; those that can hold roles are guarded like administrators."""

from __future__ import annotations

from dataclasses import replace

from sandbox.clock import seconds
from sandbox.directory.rows import Group
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import bad_request, denied, not_found, reference_absent, value_required
from sandbox.graph.operations import Operations
from sandbox.graph.users import USERS

operations = Operations()

_PROPERTIES: tuple[str, ...] = (
    "id",
    "deletedDateTime",
    "classification",
    "createdDateTime",
    "description",
    "displayName",
    "expirationDateTime",
    "groupTypes",
    "isAssignableToRole",
    "mail",
    "mailEnabled",
    "mailNickname",
    "membershipRule",
    "membershipRuleProcessingState",
    "onPremisesLastSyncDateTime",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
    "preferredDataLocation",
    "proxyAddresses",
    "renewedDateTime",
    "resourceBehaviorOptions",
    "resourceProvisioningOptions",
    "securityEnabled",
    "securityIdentifier",
    "theme",
    "visibility",
    "onPremisesProvisioningErrors",
)


def _value_of(group: Group, name: str) -> Json:
    created = seconds(group.created)
    known: dict[str, Json] = {
        "id": group.id,
        "createdDateTime": created,
        "renewedDateTime": created,
        "description": group.description,
        "displayName": group.display_name,
        "isAssignableToRole": group.is_assignable_to_role or None,
        "mailEnabled": False,
        "mailNickname": group.display_name.lower().replace(" ", "-"),
        "securityEnabled": True,
        "visibility": "Private" if group.is_assignable_to_role else None,
    }
    empty_lists = {
        "groupTypes",
        "proxyAddresses",
        "resourceBehaviorOptions",
        "resourceProvisioningOptions",
        "onPremisesProvisioningErrors",
    }
    return known.get(name, [] if name in empty_lists else None)


GROUPS: odata.Shape[Group] = odata.Shape(
    entity_set="groups",
    resource="Group",
    properties=frozenset(_PROPERTIES),
    default=_PROPERTIES,
    value_of=_value_of,
    filterable=frozenset({"id", "displayName", "description", "createdDateTime", "mailNickname", "securityEnabled"}),
    directory_class="Group",
)


@operations.get("/groups", permissions.READ_MEMBERSHIPS)
def list_groups(call: Call) -> Answer:
    return odata.collection(call, GROUPS, call.tenant.groups.in_order())


@operations.get("/groups/{group}", permissions.READ_MEMBERSHIPS)
def get_group(call: Call) -> Answer:
    return odata.entity(call, GROUPS, _group(call))


@operations.get("/groups/{group}/members", permissions.READ_MEMBERSHIPS)
def list_members(call: Call) -> Answer:
    members = sorted(_group(call).members)
    names = odata.selected(call)
    people = [user for member in members if (user := call.tenant.users.get(member))]
    body: dict[str, Json] = {
        "@odata.context": odata.context(call, "directoryObjects", entity=False),
        "value": [{"@odata.type": "#microsoft.graph.user"} | USERS.project(user, names) for user in people],
    }
    return Answer(200, body)


@operations.post("/groups/{group}/members/$ref", permissions.WRITE_MEMBERSHIPS)
def add_member(call: Call) -> Answer:
    group = _group(call)
    _require_authority(call, group)
    reference = call.json_object().get("@odata.id")
    if not isinstance(reference, str):
        raise value_required("@odata.id", "Group")
    member = reference.rstrip("/").rpartition("/")[2].lower()
    if member not in call.tenant.users:
        raise not_found(member)
    if member in group.members:
        raise bad_request(
            "One or more added object references already exist for the following modified properties: 'members'."
        )
    call.tenant.groups.put(replace(group, members=group.members | {member}))
    return Answer(204)


@operations.delete("/groups/{group}/members/{member}/$ref", permissions.WRITE_MEMBERSHIPS)
def remove_member(call: Call) -> Answer:
    group = _group(call)
    _require_authority(call, group)
    member = call.args["member"].lower()
    if member not in call.tenant.users:
        raise not_found(call.args["member"])
    if member not in group.members:
        raise reference_absent()
    call.tenant.groups.put(replace(group, members=group.members - {member}))
    return Answer(204)


def _group(call: Call) -> Group:
    group = call.tenant.groups.get(call.args["group"].lower())
    if group is None:
        raise not_found(call.args["group"])
    return group


def _require_authority(call: Call, group: Group) -> None:
    if group.is_assignable_to_role and not call.actor.permissions & permissions.WRITE_ROLES:
        raise denied()
