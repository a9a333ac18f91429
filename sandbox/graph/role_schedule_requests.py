"""``/roleManagement/directory/role(Assignment|Eligibility)ScheduleRequests``: roles for a time, where licensed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import uuid4

from sandbox.clock import seconds, ticks
from sandbox.directory.records import Expiration, Schedule, ScheduleKind, ScheduleRequest
from sandbox.directory.roles import assignment_id
from sandbox.exchange import Answer, Json
from sandbox.graph import odata, permissions
from sandbox.graph import role_schedule_rules as rules
from sandbox.graph.call import Call
from sandbox.graph.errors import denied, not_found
from sandbox.graph.operations import Operations
from sandbox.graph.role_rules import require_assignable, require_removable

operations = Operations(rules.permission_missing)

_ROOT = "/roleManagement/directory"
_COLLECTIONS: dict[ScheduleKind, str] = {
    "assignment": "roleAssignmentScheduleRequests",
    "eligibility": "roleEligibilityScheduleRequests",
}
_KEPT = timedelta(days=45)
_ADMIN_ACTIONS = {
    name.lower(): name for name in ("adminAssign", "adminUpdate", "adminRemove", "adminExtend", "adminRenew")
}
_SELF_ACTIONS = frozenset({"selfactivate", "selfdeactivate", "selfextend", "selfrenew"})


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request's body, read."""

    kind: ScheduleKind
    action: str
    role_id: str
    principal_id: str
    scope: str
    starts: datetime
    expiration: Expiration
    body: dict[str, Json]

    def names(self, schedule: Schedule) -> bool:
        mine = (self.kind, self.role_id, self.scope)
        return (schedule.kind, schedule.role_id, schedule.scope) == mine


_WAITING = "Granted"
"""Of a request for later; its ``completedDateTime`` is the start (pnp/cli-microsoft365's tests)."""


def _status(request: ScheduleRequest, now: datetime) -> str:
    waits = request.status == _WAITING and (request.starts is None or now < request.starts)
    return "Provisioned" if request.status == _WAITING and not waits else request.status


def _values(request: ScheduleRequest, now: datetime, *, is_validation: bool = False) -> dict[str, Json]:
    kind, who = request.created_by
    author: dict[str, Json] = {"displayName": None, "id": who}
    return {
        "id": request.id,
        "status": _status(request, now),
        "createdDateTime": ticks(request.created),
        "completedDateTime": ticks(request.completed) if request.completed else None,
        "approvalId": None,
        "customData": None,
        "action": request.action,
        "principalId": request.principal_id,
        "roleDefinitionId": request.role_id,
        "directoryScopeId": request.scope,
        "appScopeId": None,
        "isValidationOnly": is_validation,
        "targetScheduleId": request.target_schedule,
        "justification": request.justification,
        "createdBy": {
            "application": author if kind == "app" else None,
            "device": None,
            "user": author if kind == "user" else None,
        },
        "scheduleInfo": schedule_info(request.starts, request.expiration) if request.starts else None,
        "ticketInfo": {"ticketNumber": request.ticket_number, "ticketSystem": request.ticket_system},
    }


def schedule_info(starts: datetime | None, expiration: Expiration) -> dict[str, Json]:
    """``scheduleInfo`` as this workload writes it."""
    return {
        "startDateTime": ticks(starts) if starts else None,
        "recurrence": None,
        "expiration": {
            "type": expiration.kind,
            "endDateTime": seconds(expiration.ends) if expiration.ends else None,
            "duration": expiration.duration,
        },
    }


def _shape(kind: ScheduleKind, now: datetime) -> odata.Shape[ScheduleRequest]:
    names = (
        "id", "status", "createdDateTime", "completedDateTime", "approvalId", "customData", "action", "principalId",
        "roleDefinitionId", "directoryScopeId", "appScopeId", "isValidationOnly", "targetScheduleId", "justification",
        "createdBy", "scheduleInfo", "ticketInfo",
    )  # fmt: skip
    return odata.Shape(
        entity_set=f"{_ROOT[1:]}/{_COLLECTIONS[kind]}",
        resource="UnifiedRoleScheduleRequest",
        properties=frozenset(names),
        default=names,
        value_of=lambda row, name: _values(row, now)[name],
    )


def _serve(kind: ScheduleKind, readable: frozenset[str], writable: frozenset[str], removable: frozenset[str]) -> None:
    """The same operations for assignments and for eligibilities."""
    path = f"{_ROOT}/{_COLLECTIONS[kind]}"

    @operations.get(path, readable)
    def list_requests(call: Call) -> Answer:
        rules.require_licence(call)
        rows = [row for row in call.tenant.schedule_requests.in_order() if _is_kept(call, row, kind)]
        return odata.collection(call, _shape(kind, call.exchange.at), rows)

    @operations.get(f"{path}/{{request}}", readable)
    def get_request(call: Call) -> Answer:
        rules.require_licence(call)
        return odata.entity(call, _shape(kind, call.exchange.at), _request(call, kind))

    @operations.post(path, removable, lacks="self-service actions, approvals and notifications")
    def create_request(call: Call) -> Answer:
        rules.require_licence(call)
        asked = _read(call, kind)
        if asked.action != "adminRemove" and not call.actor.permissions & writable:
            raise rules.permission_missing(writable)
        return _done(call, asked)

    @operations.post(f"{path}/{{request}}/cancel", writable)
    def cancel(call: Call) -> Answer:
        """Only before it starts."""
        rules.require_licence(call)
        request = _request(call, kind)
        if _status(request, call.exchange.at) != _WAITING:
            raise rules.refused(
                "RequestCannotBeCancelled", "The request is in a state in which it cannot be cancelled."
            )
        call.tenant.schedules.remove(request.target_schedule or "")
        call.tenant.schedule_requests.put(replace(request, status="Canceled"))
        return Answer(204)


_serve("assignment", permissions.READ_SCHEDULES, permissions.WRITE_SCHEDULES, permissions.REMOVE_SCHEDULES)
_serve("eligibility", permissions.READ_ELIGIBILITY, permissions.WRITE_ELIGIBILITY, permissions.WRITE_ELIGIBILITY)


def _read(call: Call, kind: ScheduleKind) -> _Asked:
    body = call.json_object()
    word = str(body.get("action", "")).lower()
    if word in _SELF_ACTIONS:
        raise denied()
    if word not in _ADMIN_ACTIONS:
        raise rules.refused("InvalidAction", "The action is not valid.")
    for name in ("roleDefinitionId", "principalId", "directoryScopeId"):
        if not isinstance(body.get(name), str):
            raise rules.refused("InvalidRequest", f"The value of {name} is required.")
    starts = rules.read_start(body, call.exchange.at)
    return _Asked(
        kind=kind,
        action=_ADMIN_ACTIONS[word],
        role_id=body["roleDefinitionId"].lower(),
        principal_id=body["principalId"].lower(),
        scope=body["directoryScopeId"],
        starts=starts,
        expiration=rules.read_expiration(body, starts),
        body=body,
    )


def _done(call: Call, asked: _Asked) -> Answer:
    """Check, and unless that was all that was wanted do it; the answer is the request as it stands then."""
    rules.require_known(call, asked.role_id, asked.principal_id)
    require_assignable(call, asked.role_id, asked.principal_id, asked.scope)
    schedule = next(
        (one for one in call.tenant.schedules.find("principal", asked.principal_id) if asked.names(one)), None
    )
    _check(call, asked, schedule)
    is_validation = asked.body.get("isValidationOnly") is True
    request = _request_row(call, asked, schedule)
    if not is_validation:
        _apply(call, asked, schedule, request)
        call.tenant.schedule_requests.put(request)
    context = f"{call.context_base}{_ROOT[1:]}/{_COLLECTIONS[asked.kind]}/$entity"
    return Answer(201, {"@odata.context": context} | _values(request, call.exchange.at, is_validation=is_validation))


def _check(call: Call, asked: _Asked, schedule: Schedule | None) -> None:
    held = call.tenant.role_assignments.get(assignment_id(asked.role_id, asked.principal_id, asked.scope))
    exists = schedule is not None or (held is not None and asked.kind == "assignment")
    if asked.action in {"adminAssign", "adminRenew"}:
        if schedule is not None and schedule.starts > call.exchange.at:
            raise rules.request_pending()
        if exists:
            raise rules.assignment_exists()
    elif not exists:
        raise rules.assignment_absent()
    if asked.action == "adminRemove":
        if asked.kind == "assignment":
            rules.require_old_enough(call, schedule)
        if held is not None and asked.kind == "assignment":
            require_removable(call, held)
    elif asked.kind == "assignment":
        rules.require_policy(call, asked.starts, asked.expiration)


def _request_row(call: Call, asked: _Asked, schedule: Schedule | None) -> ScheduleRequest:
    now, request_id = call.exchange.at, str(uuid4())
    waits = asked.action != "adminRemove" and asked.starts > now
    status = "Revoked" if asked.action == "adminRemove" else _WAITING if waits else "Provisioned"
    ticket = asked.body.get("ticketInfo") or {}
    kind: Literal["app", "user"] = call.actor.kind
    return ScheduleRequest(
        id=request_id,
        kind=asked.kind,
        action=asked.action,
        status=status,
        principal_id=asked.principal_id,
        role_id=asked.role_id,
        scope=asked.scope,
        created=now,
        completed=asked.starts if waits else now,
        created_by=(kind, call.actor.app_id if kind == "app" else call.actor.id),
        starts=None if asked.action == "adminRemove" else asked.starts,
        expiration=asked.expiration,
        target_schedule=schedule.id if schedule else request_id,
        justification=asked.body.get("justification"),
        ticket_number=ticket.get("ticketNumber"),
        ticket_system=ticket.get("ticketSystem"),
    )


def _apply(call: Call, asked: _Asked, schedule: Schedule | None, request: ScheduleRequest) -> None:
    tenant = call.tenant
    if asked.action == "adminRemove":
        if schedule is not None:
            tenant.end_schedule(schedule)
        elif asked.kind == "assignment":
            tenant.take_role(assignment_id(asked.role_id, asked.principal_id, asked.scope))
        return
    if schedule is not None:
        starts = min(schedule.starts, asked.starts)
        tenant.schedules.put(replace(schedule, starts=starts, expiration=asked.expiration, modified=call.exchange.at))
    else:
        made = Schedule(
            id=request.id,
            kind=asked.kind,
            principal_id=asked.principal_id,
            role_id=asked.role_id,
            scope=asked.scope,
            created=call.exchange.at,
            starts=asked.starts,
            expiration=asked.expiration,
        )
        tenant.schedules.put(made)
    held = assignment_id(asked.role_id, asked.principal_id, asked.scope)
    if asked.kind == "assignment" and asked.starts <= call.exchange.at and held not in tenant.role_assignments:
        tenant.assign_role(asked.role_id, asked.principal_id, asked.scope)


def _is_kept(call: Call, row: ScheduleRequest, kind: ScheduleKind) -> bool:
    return row.kind == kind and row.created + _KEPT > call.exchange.at


def _request(call: Call, kind: ScheduleKind) -> ScheduleRequest:
    row = call.tenant.schedule_requests.get(call.args["request"].lower())
    if row is None or not _is_kept(call, row, kind):
        raise not_found(call.args["request"])
    return row
