"""The app permissions of Microsoft Graph by id and by name."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from uuid import UUID, uuid5

from sandbox.directory.rows import AppRole
from sandbox.exchange import Json

MICROSOFT_GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
_APP_ROLES = Path(__file__).parent.parent / "data" / "app_roles.json"


@cache
def app_role_ids() -> dict[str, str]:
    """App role ids of Microsoft Graph by permission name; a made-up but stable one where Microsoft's is not known."""
    known: dict[str, str | None] = json.loads(_APP_ROLES.read_text(encoding="utf-8"))
    return {name: role or _made_up(name) for name, role in known.items()}


@cache
def _names() -> dict[str, str]:
    return {role: name for name, role in app_role_ids().items()}


def role_id_of(permission: str) -> str:
    """The id of a permission, also of one that the catalogue does not know."""
    return app_role_ids().get(permission) or _made_up(permission)


def permission_of(role_id: str) -> str | None:
    """The permission with this id; None if Graph has no such."""
    return _names().get(role_id.lower())


@cache
def shown_app_roles() -> list[dict[str, Json]]:
    """All app roles, as the service principal of Microsoft Graph lists them."""
    return [
        {
            "allowedMemberTypes": ["Application"],
            "description": f"App permission {name}.",
            "displayName": name,
            "id": role,
            "isEnabled": True,
            "origin": "Application",
            "value": name,
        }
        for name, role in app_role_ids().items()
    ]


def defined_roles(roles: Iterable[AppRole]) -> list[dict[str, Json]]:
    """The roles that an application defines for people, as it and its service principals list them."""
    return [
        {
            "allowedMemberTypes": ["User"],
            "description": role.description,
            "displayName": role.display_name,
            "id": role.id,
            "isEnabled": role.enabled,
            "origin": "Application",
            "value": role.value,
        }
        for role in roles
    ]


def graph_principal_id(tenant_id: str) -> str:
    """The object id of Microsoft Graph's own service principal in a tenant."""
    return str(uuid5(UUID(tenant_id), MICROSOFT_GRAPH_APP_ID))


def _made_up(permission: str) -> str:
    return str(uuid5(UUID(MICROSOFT_GRAPH_APP_ID), permission))
