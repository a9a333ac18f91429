"""What Privileged Identity Management refuses, in its own words: it has codes where the directory has messages."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

from sandbox.directory.records import Expiration, ExpirationKind, Schedule
from sandbox.directory.roles import built_in_roles
from sandbox.exchange import Json
from sandbox.graph.call import Call
from sandbox.graph.directory_objects import exists
from sandbox.graph.errors import GraphError
from sandbox.graph.licences import has_privileged_identity_management

SHORTEST_ACTIVITY = timedelta(minutes=5)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE)
_KINDS: dict[str, ExpirationKind] = {
    "notspecified": "notSpecified",
    "noexpiration": "noExpiration",
    "afterdatetime": "afterDateTime",
    "afterduration": "afterDuration",
}


def refused(code: str, message: str, status: int = 400) -> GraphError:
    """A refusal of this workload."""
    return GraphError(status, code, message)


def permission_missing(allowed: frozenset[str]) -> GraphError:
    """This workload's own error as JSON inside of Graph's (terraform-provider-azuread#1386, #1727)."""
    names = ",".join(sorted(allowed))
    own: dict[str, Json] = {
        "errorCode": "PermissionScopeNotGranted",
        "message": f"Authorization failed due to missing permission scope {names}.",
        "target": None,
        "details": None,
        "innerError": None,
        "instanceAnnotations": [],
    }
    return refused("UnknownError", json.dumps(own, separators=(",", ":")), 403)


def require_licence(call: Call) -> None:
    """Raises 400 unless the tenant has Entra ID P2."""
    if not has_privileged_identity_management(call.tenant):
        raise refused(
            "AadPremiumLicenseRequired",
            "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.",
        )


def assignment_exists() -> GraphError:
    return refused("RoleAssignmentExists", "The Role assignment already exists.")


def assignment_absent() -> GraphError:
    return refused("RoleAssignmentDoesNotExist", "The Role assignment does not exist.")


def request_pending() -> GraphError:
    return refused("PendingRoleAssignmentRequest", "There is already an existing pending Role assignment request.")


def require_known(call: Call, role_id: str, principal_id: str) -> None:
    """Raises 404 in this workload's words for a role or a principal that is not there (or not yet)."""
    role = built_in_roles().get(role_id)
    if role is None or not role.assignable:
        raise refused("RoleNotFound", "The role is not found.", 404)
    group = call.tenant.groups.get(principal_id)
    if not exists(call.tenant, principal_id) or (group is not None and not group.is_assignable_to_role):
        raise refused("SubjectNotFound", "The subject is not found.", 404)


def require_old_enough(call: Call, schedule: Schedule | None) -> None:
    """Nothing is taken within the first five minutes."""
    if schedule is not None and call.exchange.at - schedule.starts < SHORTEST_ACTIVITY:
        raise refused("ActiveDurationTooShort", "The active duration is too short. Minimum required is 5 minutes.")


def require_policy(call: Call, starts: datetime, expiration: Expiration) -> None:
    """The role's policy may demand an end, and one that is near enough."""
    longest = call.tenant.organization.longest_active_assignment
    if longest is None:
        return
    if expiration.ends is None or expiration.ends - starts > timedelta(seconds=longest):
        raise policy_failed("ExpirationRule")


def policy_failed(*rules: str) -> GraphError:
    return refused(
        "RoleAssignmentRequestPolicyValidationFailed",
        f"The following policy rules failed: {json.dumps(list(rules), separators=(',', ':'))}",
    )


def read_start(body: dict[str, Json], now: datetime) -> datetime:
    """When the schedule begins; what is past begins now."""
    asked = moment((body.get("scheduleInfo") or {}).get("startDateTime"), "startDateTime")
    return max(asked or now, now)


def read_expiration(body: dict[str, Json], starts: datetime) -> Expiration:
    """When the schedule ends, from ``scheduleInfo.expiration``; enumerations are read in any case."""
    asked = (body.get("scheduleInfo") or {}).get("expiration") or {}
    kind = _KINDS.get(str(asked.get("type", "noExpiration")).lower())
    if kind is None:
        raise _invalid("expiration.type")
    if kind == "afterDateTime":
        ends = moment(asked.get("endDateTime"), "expiration.endDateTime")
        if ends is None or ends <= starts:
            raise _invalid("expiration.endDateTime")
        return Expiration(kind=kind, ends=ends)
    if kind == "afterDuration":
        length = duration(asked.get("duration"))
        if length is None or length <= timedelta():
            raise _invalid("expiration.duration")
        return Expiration(kind=kind, duration=asked["duration"].upper(), ends=starts + length)
    return Expiration(kind=kind)


def duration(text: Json) -> timedelta | None:
    """``P1DT4H30M`` as a length of time; None if it is none."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def moment(text: Json, name: str) -> datetime | None:
    """A time of the body; None if it is absent."""
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise _invalid(name) from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _invalid(name: str) -> GraphError:
    return refused("InvalidScheduleInfo", f"The value of {name} is not valid.")
