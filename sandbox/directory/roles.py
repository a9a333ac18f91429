"""The built-in directory roles (the same template ids in every tenant), and the ids of their assignments."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import UUID

from sandbox.directory.rows import TENANT_SCOPE

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
PRIVILEGED_AUTHENTICATION_ADMINISTRATOR = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
DIRECTORY_READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"

_DATA = Path(__file__).parent.parent / "data" / "directory_roles.json"


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """A built-in role. ``privileged`` is Microsoft's label (None: unknown); unassignable ones are implicit."""

    name: str
    template_id: str
    privileged: bool | None
    assignable: bool
    description: str = ""


@cache
def built_in_roles() -> dict[str, RoleDefinition]:
    """Every built-in role by template id, which is also its id."""
    rows = json.loads(_DATA.read_text(encoding="utf-8"))
    return {row["template_id"]: RoleDefinition(**row) for row in rows}


@cache
def role_id_by_name() -> dict[str, str]:
    """Template ids by lower-cased display name."""
    return {role.name.lower(): role.template_id for role in built_in_roles().values()}


def role_named(name_or_id: str) -> str | None:
    """The template id of a role given by name or by id; None if there is no such."""
    key = name_or_id.lower()
    return key if key in built_in_roles() else role_id_by_name().get(key)


def assignment_id(role_id: str, principal_id: str, scope: str = TENANT_SCOPE) -> str:
    """The id that the directory gives to an assignment: it can be computed, which is how clients survive lost answers.

    For an administrative unit Microsoft's form is not known; the form for objects is used there.
    """
    parts = [role_id, principal_id]
    if scope != TENANT_SCOPE:
        parts.append(scope.rpartition("/")[2])
    return packed_guids(*parts) + "-1"


def packed_guids(*guids: str) -> str:
    """Several ids as one text."""
    packed = b"".join(UUID(guid).bytes_le for guid in guids)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")
