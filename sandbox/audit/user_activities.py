"""What a changed account means: the log has a name of its own for each of the changes that matter."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from sandbox.audit.activity import Activity, Author, Modified, Target
from sandbox.clock import seconds
from sandbox.directory.rows import SignInMethod, User

_CATEGORY = "UserManagement"
_SECURITY_INFO = "Authentication Methods"
_TOLD_APART = frozenset({"accountEnabled", "lastPasswordChangeDateTime"})
"""Properties whose change has an activity of its own."""


def user_target(user: User, *modified: Modified) -> Target:
    """An account as the log names it."""
    return Target(user.id, None, "User", user.user_principal_name, modified)


def added(user: User) -> Activity:
    shown = ("accountEnabled", "displayName", "mailNickname", "userPrincipalName", "userType")
    changes = tuple(Modified(_capital(name), [], [user.properties[name]]) for name in shown if name in user.properties)
    return Activity("Add user", _CATEGORY, "Add", (user_target(user, *changes),))


def deleted(user: User) -> Activity:
    return Activity("Delete user", _CATEGORY, "Delete", (user_target(user),))


def restored(user: User) -> Activity:
    return Activity("Restore user", _CATEGORY, "Update", (user_target(user),))


def purged(user: User) -> Activity:
    return Activity("Hard Delete user", _CATEGORY, "Delete", (user_target(user),))


def changed(before: User, after: User, author: Author) -> Iterator[Activity]:
    """All that one change of an account comes to; a single request can be several activities."""
    if before.enabled != after.enabled:
        name = "Enable account" if after.enabled else "Disable account"
        flag = Modified("AccountEnabled", [before.enabled], [after.enabled])
        yield Activity(name, _CATEGORY, "Update", (user_target(after, flag),))
    if before.password != after.password:
        name = "Reset user password" if author.source == "graph" else "Reset password (by admin)"
        yield Activity(name, _CATEGORY, "Update", (user_target(after),))
    elif before.sessions_valid_from != after.sessions_valid_from:
        moved = Modified(
            "StsRefreshTokensValidFrom", [seconds(before.sessions_valid_from)], [seconds(after.sessions_valid_from)]
        )
        name = "Update StsRefreshTokenValidFrom Timestamp"
        yield Activity(name, _CATEGORY, "Update", (user_target(after, moved),))
    if modified := tuple(_other_properties(before, after)):
        names = Modified("Included Updated Properties", None, ", ".join(one.name for one in modified))
        yield Activity("Update user", _CATEGORY, "Update", (user_target(after, *modified, names),))
    yield from _security_info(before, after, author)


def _other_properties(before: User, after: User) -> Iterator[Modified]:
    for name in sorted((before.properties.keys() | after.properties.keys()) - _TOLD_APART):
        old, new = before.properties.get(name), after.properties.get(name)
        if old != new:
            yield Modified(_capital(name), _listed(old), _listed(new))
    if before.must_change_password != after.must_change_password:
        yield Modified("ForceChangePassword", [before.must_change_password], [after.must_change_password])


def _listed(value: JsonValue) -> list[JsonValue]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _security_info(before: User, after: User, author: Author) -> Iterator[Activity]:
    held_before = before.temporary_access_pass.id if before.temporary_access_pass else None
    held_after = after.temporary_access_pass.id if after.temporary_access_pass else None
    if held_before != held_after:
        if held_before and not held_after:
            yield _deleted_info(after, "temporary access pass")
        if held_after:
            yield Activity(
                "Admin registered security info",
                _CATEGORY,
                "AdminRegistered",
                (user_target(after),),
                _SECURITY_INFO,
                "Admin registered temporary access pass method for user",
            )
    for method in _without(after.methods, before.methods):
        at_the_keyboard = author.source == "control"
        name = "User registered security info" if at_the_keyboard else "Admin registered security info"
        yield Activity(
            name,
            _CATEGORY,
            "AdminRegistered",
            (user_target(after),),
            _SECURITY_INFO,
            f"Registered {method.kind} method",
            by_target=at_the_keyboard,
        )
    for method in _without(before.methods, after.methods):
        yield _deleted_info(after, method.kind)


def _without(methods: tuple[SignInMethod, ...], others: tuple[SignInMethod, ...]) -> list[SignInMethod]:
    ids = {method.id for method in others}
    return [method for method in methods if method.id not in ids]


def _deleted_info(user: User, what: str) -> Activity:
    reason = f"Admin deleted {what} method for user"
    return Activity(
        "Admin deleted security info", _CATEGORY, "AdminDeleted", (user_target(user),), _SECURITY_INFO, reason
    )


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
