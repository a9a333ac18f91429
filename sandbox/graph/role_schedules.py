"""Schedules and their instances: who holds or may activate which role, from when until when.

What was given by the plain interface has no schedule of its own and is listed under the id of its assignment, without
an end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.clock import seconds, ticks
from sandbox.directory.records import Expiration, Schedule, ScheduleKind
from sandbox.directory.roles import assignment_id
from sandbox.directory.rows import RoleAssignment
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph.call import Call
from sandbox.graph.errors import not_found
from sandbox.graph.expand import relationship
from sandbox.graph.operations import Operations
from sandbox.graph.role_management import definition_shown, principal_shown
from sandbox.graph.role_schedule_requests import schedule_info
from sandbox.graph.role_schedule_rules import permission_missing, require_licence

operations = Operations(permission_missing)
_ROOT = "/roleManagement/directory"
_WHAT = ("id", "principalId", "roleDefinitionId", "directoryScopeId", "appScopeId")
_SCHEDULE = (*_WHAT, "createdUsing", "createdDateTime", "modifiedDateTime", "status")
_END = ("memberType", "scheduleInfo")
_NEVER_MODIFIED = "0001-01-01T08:00:00Z"


@dataclass(frozen=True, slots=True)
class _Row:
    """Something to be listed, as it is shown."""

    id: str
    values: dict[str, Json]


def _shape(collection: str, names: tuple[str, ...]) -> odata.Shape[_Row]:
    return odata.Shape(
        entity_set=f"{_ROOT[1:]}/{collection}",
        resource="UnifiedRoleSchedule",
        properties=frozenset(names),
        default=names,
        value_of=lambda row, name: row.values[name],
    )


def _serve(
    collection: str, names: tuple[str, ...], allowed: frozenset[str], rows: Callable[[Call], list[_Row]]
) -> None:
    shape = _shape(collection, names)

    @operations.get(f"{_ROOT}/{collection}", allowed)
    def list_all(call: Call) -> Answer:
        require_licence(call)
        return odata.collection(call, shape, sorted(rows(call), key=lambda row: row.id))

    @operations.get(f"{_ROOT}/{collection}/{{schedule}}", allowed)
    def get_one(call: Call) -> Answer:
        require_licence(call)
        found = next((row for row in rows(call) if row.id == call.args["schedule"]), None)
        if found is None:
            raise not_found(call.args["schedule"])
        return odata.entity(call, shape, found)


def _assignment_schedules(call: Call) -> list[_Row]:
    scheduled = [
        _Row(one.id, _schedule(one) | {"assignmentType": _assignment_type(one)}) for one in _of(call, "assignment")
    ]
    plain = [_plain_schedule(call, held) for held in call.tenant.role_assignments if _schedule_of(call, held) is None]
    return scheduled + plain


def _assignment_instances(call: Call) -> list[_Row]:
    return [_instance(held, _schedule_of(call, held)) for held in call.tenant.role_assignments]


def _eligibility_schedules(call: Call) -> list[_Row]:
    return [_Row(one.id, _schedule(one)) for one in _of(call, "eligibility")]


def _eligibility_instances(call: Call) -> list[_Row]:
    rows = []
    for one in _of(call, "eligibility"):
        if one.is_current(call.exchange.at):
            instance = assignment_id(one.role_id, one.principal_id, one.scope)
            values = _what(instance, one) | _span(one) | {"memberType": "Direct", "roleEligibilityScheduleId": one.id}
            rows.append(_Row(instance, values))
    return rows


def _of(call: Call, kind: ScheduleKind) -> list[Schedule]:
    return [schedule for schedule in call.tenant.schedules if schedule.kind == kind]


def _schedule_of(call: Call, held: RoleAssignment) -> Schedule | None:
    for schedule in call.tenant.schedules.find("principal", held.principal_id):
        if (schedule.kind, schedule.role_id, schedule.scope) == ("assignment", held.role_id, held.scope):
            return schedule
    return None


def _what(row_id: str, of: Schedule | RoleAssignment) -> dict[str, Json]:
    return {
        "id": row_id,
        "principalId": of.principal_id,
        "roleDefinitionId": of.role_id,
        "directoryScopeId": of.scope,
        "appScopeId": None,
    }


def _span(schedule: Schedule | None) -> dict[str, Json]:
    ends = schedule.expiration.ends if schedule else None
    return {
        "startDateTime": ticks(schedule.starts) if schedule else None,
        "endDateTime": seconds(ends) if ends else None,
    }


def _assignment_type(schedule: Schedule | None) -> str:
    return "Activated" if schedule is not None and schedule.activated else "Assigned"


def _schedule(one: Schedule) -> dict[str, Json]:
    return _what(one.id, one) | {
        "createdUsing": one.id,
        "createdDateTime": ticks(one.created),
        "modifiedDateTime": ticks(one.modified) if one.modified else _NEVER_MODIFIED,
        "status": "Provisioned",
        "memberType": "Direct",
        "scheduleInfo": schedule_info(one.starts, one.expiration),
    }


def _plain_schedule(call: Call, held: RoleAssignment) -> _Row:
    values = _what(held.id, held) | {
        "createdUsing": None,
        "createdDateTime": None,
        "modifiedDateTime": None,
        "status": "Provisioned",
        "assignmentType": "Assigned",
        "memberType": "Direct",
        "scheduleInfo": schedule_info(call.exchange.at, Expiration()),
    }
    return _Row(held.id, values)


def _instance(held: RoleAssignment, schedule: Schedule | None) -> _Row:
    values = _what(held.id, held) | _span(schedule)
    values |= {
        "assignmentType": _assignment_type(schedule),
        "memberType": "Direct",
        "roleAssignmentOriginId": held.id,
        "roleAssignmentScheduleId": schedule.id if schedule else held.id,
    }
    return _Row(held.id, values)


_INSTANCE = (*_WHAT, "startDateTime", "endDateTime")
_ORIGIN = ("roleAssignmentOriginId", "roleAssignmentScheduleId")
_serve(
    "roleAssignmentSchedules",
    (*_SCHEDULE, "assignmentType", *_END),
    permissions.READ_SCHEDULES,
    _assignment_schedules,
)
_serve(
    "roleAssignmentScheduleInstances",
    (*_INSTANCE, "assignmentType", "memberType", *_ORIGIN),
    permissions.READ_SCHEDULES,
    _assignment_instances,
)
_serve("roleEligibilitySchedules", (*_SCHEDULE, *_END), permissions.READ_ELIGIBILITY, _eligibility_schedules)
_serve(
    "roleEligibilityScheduleInstances",
    (*_INSTANCE, "memberType", "roleEligibilityScheduleId"),
    permissions.READ_ELIGIBILITY,
    _eligibility_instances,
)


@relationship("UnifiedRoleSchedule", "principal", selects=False)
def _principal(call: Call, row: _Row, _: Sequence[str] | None) -> Json:
    return principal_shown(call, row.values["principalId"])


@relationship("UnifiedRoleSchedule", "roleDefinition", selects=False)
def _definition(_: Call, row: _Row, __: Sequence[str] | None) -> Json:
    return definition_shown(row.values["roleDefinitionId"])
