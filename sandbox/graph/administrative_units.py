"""``/directory/administrativeUnits``: parts of a tenant with administrators of their own.

The members of a restricted unit are closed to app permissions and to the tenant's own administrators, Global ones
included: only roles over that unit reach them (``protection.require_unrestricted``).
"""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from sandbox.directory.records import AdministrativeUnit
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.administrative_unit_schema import ADMINISTRATIVE_UNITS
from sandbox.graph.call import Call
from sandbox.graph.directory_objects import objects, referenced, related_objects
from sandbox.graph.directory_role_schema import role_object
from sandbox.graph.errors import (
    bad_request,
    invalid_value,
    not_found,
    reference_absent,
    reference_exists,
    value_required,
)
from sandbox.graph.operations import Operations
from sandbox.graph.protection import unit_scope

operations = Operations()

_UNITS = "/directory/administrativeUnits"
_LARGEST_NUMBER_OF_RESTRICTED_UNITS = 100
_UNITS_AN_OBJECT = 30
_CHANGEABLE = {"displayName": "display_name", "description": "description", "visibility": "visibility"}


@operations.get(_UNITS, permissions.READ_UNITS)
def list_units(call: Call) -> Answer:
    return odata.collection(call, ADMINISTRATIVE_UNITS, call.tenant.administrative_units.in_order())


@operations.get(f"{_UNITS}/{{unit}}", permissions.READ_UNITS)
def get_unit(call: Call) -> Answer:
    return odata.entity(call, ADMINISTRATIVE_UNITS, _unit(call))


@operations.post(_UNITS, permissions.WRITE_UNITS, lacks="dynamic membership")
def create_unit(call: Call) -> Answer:
    """Make a unit. Whether it is restricted is decided here and never again."""
    body = {name: value for name, value in call.json_object().items() if name != "@odata.type"}
    if not isinstance(body.get("displayName"), str):
        raise value_required("displayName", "AdministrativeUnit")
    restricted = body.get("isMemberManagementRestricted", False)
    if not isinstance(restricted, bool):
        raise invalid_value("isMemberManagementRestricted", "AdministrativeUnit")
    existing = sum(unit.is_restricted for unit in call.tenant.administrative_units)
    if restricted and existing >= _LARGEST_NUMBER_OF_RESTRICTED_UNITS:
        raise bad_request("The maximum number of restricted management administrative units has been reached.")
    unit = AdministrativeUnit(
        id=str(uuid4()),
        display_name=body["displayName"],
        description=body.get("description"),
        visibility=body.get("visibility"),
        is_restricted=restricted,
    )
    call.tenant.administrative_units.put(unit)
    return odata.entity(call, ADMINISTRATIVE_UNITS, unit, 201)


@operations.patch(f"{_UNITS}/{{unit}}", permissions.WRITE_UNITS)
def update_unit(call: Call) -> Answer:
    unit = _unit(call)
    body = {name: value for name, value in call.json_object().items() if name != "@odata.type"}
    if unknown := next((name for name in body if name not in _CHANGEABLE), None):
        raise bad_request(f"Property '{unknown}' is read-only and cannot be set.")
    call.tenant.administrative_units.put(replace(unit, **{_CHANGEABLE[name]: value for name, value in body.items()}))
    return Answer(204)


@operations.delete(f"{_UNITS}/{{unit}}", permissions.WRITE_UNITS)
def delete_unit(call: Call) -> Answer:
    """Delete a unit, and with it the roles over it."""
    unit = _unit(call)
    for held in list(call.tenant.role_assignments):
        if held.scope == unit_scope(unit.id):
            call.tenant.take_role(held.id)
    call.tenant.administrative_units.remove(unit.id)
    return Answer(204)


@operations.get(f"{_UNITS}/{{unit}}/members", permissions.READ_UNITS)
def list_members(call: Call) -> Answer:
    return objects(call, _unit(call).members)


@operations.get(f"{_UNITS}/{{unit}}/members/graph.user", permissions.READ_UNITS)
def list_member_users(call: Call) -> Answer:
    return objects(call, _unit(call).members, "graph.user")


@operations.post(f"{_UNITS}/{{unit}}/members/$ref", permissions.WRITE_UNITS)
def add_member(call: Call) -> Answer:
    unit = _unit(call)
    member = referenced(call, "AdministrativeUnit")
    if member in call.tenant.service_principals:
        raise bad_request("An administrative unit holds users, groups and devices only.")
    if member in unit.members:
        raise reference_exists()
    if len(call.tenant.administrative_units.find("member", member)) >= _UNITS_AN_OBJECT:
        raise bad_request("The object is in the maximum number of administrative units already.")
    call.tenant.administrative_units.put(replace(unit, members=unit.members | {member}))
    return Answer(204)


@operations.delete(f"{_UNITS}/{{unit}}/members/{{member}}/$ref", permissions.WRITE_UNITS)
def remove_member(call: Call) -> Answer:
    """Takes effect at once; at Microsoft's the protection of a restricted unit lasts up to thirty minutes longer."""
    unit = _unit(call)
    member = call.args["member"].lower()
    if member not in unit.members:
        raise reference_absent()
    call.tenant.administrative_units.put(replace(unit, members=unit.members - {member}))
    return Answer(204)


@operations.get(f"{_UNITS}/{{unit}}/scopedRoleMembers", permissions.READ_UNITS | permissions.READ_ROLES)
def list_scoped_role_members(call: Call) -> Answer:
    """Who holds roles over the unit, in the older form."""
    unit = _unit(call)
    value: list[Json] = [
        {
            "id": held.id,
            "roleId": role_object(call.tenant.id, held.role_id).id,
            "administrativeUnitId": unit.id,
            "roleMemberInfo": {"id": held.principal_id, "displayName": _name(call, held.principal_id)},
        }
        for held in call.tenant.role_assignments.in_order()
        if held.scope == unit_scope(unit.id)
    ]
    body: dict[str, Json] = {"@odata.context": odata.context(call, "scopedRoleMemberships", entity=False)}
    return Answer(200, body | {"value": value})


def _name(call: Call, object_id: str) -> str | None:
    rows = (table.get(object_id) for table in (call.tenant.users, call.tenant.groups, call.tenant.service_principals))
    return next((row.display_name for row in rows if row is not None), None)


def _unit(call: Call) -> AdministrativeUnit:
    unit = call.tenant.administrative_units.get(call.args["unit"].lower())
    if unit is None:
        raise not_found(call.args["unit"])
    return unit


related_objects("AdministrativeUnit", "members", lambda _, unit: unit.members)
