"""The directory roles that may be mapped, by name and template id.

The list is Microsoft's built-in roles as of August 2026 (``directory_roles.json``). Implicit roles, which every
user or device holds by itself, cannot be given. A role that is not known is never guessed: it is refused.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from models.errors import BadInputError, quoted
from models.messages import AccessItem, AccessKind, RoleId

REFERENCE = "https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference"
"""What each built-in role may do, exactly and as of today."""

GLOBAL_ADMINISTRATOR = RoleId("62e90394-69f5-4237-9190-012177145e10")


@cache
def assignable_roles() -> dict[RoleId, AccessItem]:
    """All roles that may be mapped, by template id."""
    listed = _listed()["assignable"]
    return {RoleId(role["id"]): AccessItem(kind=AccessKind.ROLE, id=role["id"], name=role["name"]) for role in listed}


def find_role(name_or_id: str) -> AccessItem:
    """The role of this name (any case) or template id; raises ``BadInputError``.

    A template id that is well formed but not listed may be a tenant's custom role: it is taken by its id.
    """
    typed = name_or_id.strip().lower()
    wanted = typed if typed in _by_name_and_id() else _canonical(typed)
    if role := _by_name_and_id().get(wanted):
        return role
    if wanted in _implicit_roles():
        raise BadInputError(f"{quoted(name_or_id)} is held implicitly and cannot be assigned")
    if today := _former_names().get(wanted):
        raise BadInputError(f"{quoted(name_or_id)} is called {today} today; write that")
    try:
        return AccessItem(kind=AccessKind.ROLE, id=str(UUID(wanted)), name=f"custom role {wanted}")
    except ValueError:
        raise BadInputError(f"{quoted(name_or_id)} is neither a built-in directory role nor a role id") from None


def is_privileged(item: AccessItem) -> bool:
    """Whether Microsoft marks the role as privileged; a tenant's custom role, of which nothing is known, counts as one.

    A security group that may hold roles is refused elsewhere, so none is privileged.
    """
    if item.kind is AccessKind.GROUP:
        return False
    return _privileged().get(item.id, True)


def describe_role(item: AccessItem) -> str:
    """What the role is for, one sentence in our own words; empty for a tenant's custom role."""
    return _descriptions().get(item.id, "")


def is_common(item: AccessItem) -> bool:
    """Whether it is among the roles that are offered first."""
    return item.name in _listed()["common"]


def role_name(role: str) -> str:
    """What people call the role of this id; the id itself where it is none that could be mapped."""
    try:
        return find_role(role).name
    except BadInputError:
        return role


def _canonical(wanted: str) -> str:
    # An id in braces or without hyphens is the same role, and must not pass for a custom one.
    try:
        return str(UUID(wanted))
    except ValueError:
        return wanted


@cache
def _listed() -> Any:
    return json.loads(Path(__file__).with_name("directory_roles.json").read_text())


@cache
def _privileged() -> dict[str, bool]:
    return {role["id"]: role["privileged"] for role in _listed()["assignable"]}


@cache
def _descriptions() -> dict[str, str]:
    return {role["id"]: role["description"] for role in _listed()["assignable"]}


@cache
def _by_name_and_id() -> dict[str, AccessItem]:
    return {word: role for role in assignable_roles().values() for word in (role.id, role.name.lower())}


@cache
def _implicit_roles() -> frozenset[str]:
    return frozenset(word.lower() for role in _listed()["implicit"] for word in (role["id"], role["name"]))


@cache
def _former_names() -> dict[str, str]:
    """Names that PowerShell, Graph or portals used: old scripts and lists of MSPs still have them."""
    return {former.lower(): today for today, names in _listed()["former"].items() for former in names}
