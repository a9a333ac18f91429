"""Who may act on whom (facts 3): an administrator is protected from callers that stand below.

An app's own directory role decides, whatever permissions it was granted.
"""

from __future__ import annotations

from sandbox.directory.roles import role_named
from sandbox.directory.rows import User
from sandbox.directory.tenant import Tenant
from sandbox.graph.call import Call
from sandbox.graph.errors import denied, restricted


def _ids(*names: str) -> frozenset[str]:
    found = [role_named(name) for name in names]
    return frozenset(role for role in found if role is not None)


_UNREMARKABLE = (
    "Directory Readers",
    "Guest Inviter",
    "Message Center Reader",
    "Password Administrator",
    "Reports Reader",
    "Usage Summary Reports Reader",
)
_ALL_POWERFUL = _ids("Global Administrator", "Privileged Authentication Administrator")
_AUTHENTICATION = {"Authentication Administrator": _ids(*_UNREMARKABLE, "Authentication Administrator")}
_USER = {
    "User Administrator": _ids(*_UNREMARKABLE, "Groups Administrator", "Helpdesk Administrator", "User Administrator")
}

_SENSITIVE = {role: targets for name, targets in {**_AUTHENTICATION, **_USER}.items() for role in _ids(name)}
"""For each caller's role, the target's roles that it may touch sensitively; no entry but all-powerful: none."""

_PASSWORD = _SENSITIVE | {
    role: targets
    for name, targets in {
        "Password Administrator": _ids("Directory Readers", "Guest Inviter", "Password Administrator"),
        "Helpdesk Administrator": _ids(*_UNREMARKABLE, "Helpdesk Administrator"),
    }.items()
    for role in _ids(name)
}


UNIT_ROLES = _ids(
    "Authentication Administrator",
    "Groups Administrator",
    "Helpdesk Administrator",
    "License Administrator",
    "Password Administrator",
    "Privileged Authentication Administrator",
    "SharePoint Administrator",
    "Teams Administrator",
    "Teams Devices Administrator",
    "User Administrator",
)
"""The built-in roles that can be given over one administrative unit."""


def unit_scope(unit_id: str) -> str:
    """The scope of roles over one administrative unit."""
    return f"/administrativeUnits/{unit_id}"


def is_restricted(tenant: Tenant, object_id: str) -> bool:
    """Whether only administrators of its own unit may change this object."""
    return any(unit.is_restricted for unit in tenant.administrative_units.find("member", object_id))


def require_unrestricted(call: Call, object_id: str) -> None:
    """For every change of an object that a restricted unit may hold: there no permission counts, and no tenant role."""
    if is_restricted(call.tenant, object_id) and not _roles_over(call, object_id) & UNIT_ROLES:
        raise restricted()


def _roles_over(call: Call, object_id: str) -> set[str]:
    """The caller's roles that reach an object: those over its units, and the tenant's unless a unit is restricted."""
    units = call.tenant.administrative_units.find("member", object_id)
    closed = [unit for unit in units if unit.is_restricted]
    scopes = {unit_scope(unit.id) for unit in closed or units}
    scoped = {
        held.role_id for held in call.tenant.role_assignments.find("principal", call.actor.id) if held.scope in scopes
    }
    return scoped if closed else scoped | call.tenant.roles_of(call.actor.id)


def require_authority_over(call: Call, target: User) -> None:
    """For sensitive properties, deletion and restore. Raises 403 if the target holds what the caller may not touch."""
    require_unrestricted(call, target.id)
    if _is_protected(call, target) and not _covers(call, target, _SENSITIVE):
        raise denied()


def require_authority_to_revoke(call: Call, target: User) -> None:
    """Revoking sessions follows the matrix of password resets, for targets that hold a role at all."""
    require_unrestricted(call, target.id)
    if _is_protected(call, target) and not _covers(call, target, _PASSWORD):
        raise denied()


def require_authority_to_reset_password(call: Call, target: User) -> None:
    """An app resets no password at all, not even an ordinary user's, until it holds a directory role itself."""
    require_unrestricted(call, target.id)
    if not _covers(call, target, _PASSWORD):
        raise denied()


def _is_protected(call: Call, target: User) -> bool:
    return bool(call.tenant.roles_of(target.id)) or _is_guarded_for_its_place(call, target)


def _is_guarded_for_its_place(call: Call, target: User) -> bool:
    """Members and owners of role-assignable groups, and holders of roles over a restricted unit, hold no role yet."""
    groups = [*call.tenant.groups.find("member", target.id), *call.tenant.groups.find("owner", target.id)]
    restricted_scopes = {unit_scope(unit.id) for unit in call.tenant.administrative_units if unit.is_restricted}
    held = call.tenant.role_assignments.find("principal", target.id)
    return any(group.is_assignable_to_role for group in groups) or any(one.scope in restricted_scopes for one in held)


def _covers(call: Call, target: User, matrix: dict[str, frozenset[str]]) -> bool:
    own = _roles_over(call, target.id)
    if own & _ALL_POWERFUL:
        return True
    if _is_guarded_for_its_place(call, target):
        return False
    held = call.tenant.roles_of(target.id)
    return any(held <= matrix[role] for role in own if role in matrix)
