"""A directory role as the older interface and memberships show it: an object of the tenant, made from a template."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

from sandbox.directory.roles import RoleDefinition, built_in_roles
from sandbox.exchange import Json
from sandbox.graph import odata


@dataclass(frozen=True, slots=True)
class RoleObject:
    """A role in one tenant. Unlike the template's, its ``id`` differs from tenant to tenant."""

    id: str
    role: RoleDefinition


def role_object(tenant_id: str, role_id: str) -> RoleObject:
    """The tenant's object of the role with this template id."""
    return RoleObject(str(uuid5(UUID(tenant_id), role_id)), built_in_roles()[role_id])


def _value_of(row: RoleObject, name: str) -> Json:
    values: dict[str, Json] = {
        "id": row.id,
        "deletedDateTime": None,
        "description": row.role.description,
        "displayName": row.role.name,
        "roleTemplateId": row.role.template_id,
    }
    return values[name]


_PROPERTIES = ("id", "deletedDateTime", "description", "displayName", "roleTemplateId")
DIRECTORY_ROLES: odata.Shape[RoleObject] = odata.Shape(
    entity_set="directoryRoles",
    resource="DirectoryRole",
    properties=frozenset(_PROPERTIES),
    default=_PROPERTIES,
    value_of=_value_of,
    directory_class="DirectoryRole",
)
