"""Who may act on whom (facts 3): an administrator is protected from callers that stand below.

An app's own directory role decides, whatever permissions it was granted.
"""

from __future__ import annotations

from sandbox.directory.roles import role_named
from sandbox.directory.rows import User
from sandbox.graph.call import Call
from sandbox.graph.errors import denied


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


def require_authority_over(call: Call, target: User) -> None:
    """For sensitive properties, deletion and restore. Raises 403 if the target holds what the caller may not touch."""
    if _is_protected(call, target) and not _covers(call, target, _SENSITIVE):
        raise denied()


def require_authority_to_revoke(call: Call, target: User) -> None:
    """Revoking sessions follows the matrix of password resets, for targets that hold a role at all."""
    if _is_protected(call, target) and not _covers(call, target, _PASSWORD):
        raise denied()


def require_authority_to_reset_password(call: Call, target: User) -> None:
    """An app resets no password at all, not even an ordinary user's, until it holds a directory role itself."""
    if not _covers(call, target, _PASSWORD):
        raise denied()


def _is_protected(call: Call, target: User) -> bool:
    return bool(call.tenant.roles_of(target.id)) or _in_role_assignable_group(call, target)


def _in_role_assignable_group(call: Call, target: User) -> bool:
    return any(group.is_assignable_to_role for group in call.tenant.groups.find("member", target.id))


def _covers(call: Call, target: User, matrix: dict[str, frozenset[str]]) -> bool:
    own = call.tenant.roles_of(call.actor.id)
    if own & _ALL_POWERFUL:
        return True
    if _in_role_assignable_group(call, target):
        return False
    held = call.tenant.roles_of(target.id)
    return any(held <= matrix[role] for role in own if role in matrix)
