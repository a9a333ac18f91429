"""Who may have what: a technician's groups, and the directory roles that the groups map to in a tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from models.errors import BadInputError
from models.messages import Role, RoleId, TechnicianId, TenantId

ALL_TECHNICIANS = "all-technicians"
"""The built-in group of every active technician."""


@dataclass(frozen=True)
class Technician:
    """What entitlement knows of a technician."""

    id: TechnicianId
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """A set of technicians: those listed in ``members``, and all whose ``attribute`` has ``value``."""

    name: str
    members: frozenset[TechnicianId] = frozenset()
    attribute: str | None = None
    value: str | None = None

    def __contains__(self, technician: Technician) -> bool:
        by_attribute = self.attribute is not None and technician.attributes.get(self.attribute) == self.value
        return self.name == ALL_TECHNICIANS or technician.id in self.members or by_attribute


@dataclass(frozen=True)
class RoleMapping:
    """A role that a group has in one tenant, or (``tenant_id`` None) in all."""

    group: str
    tenant_id: TenantId | None
    role: Role


def entitled_roles(
    technician: Technician, tenant_id: TenantId, groups: Iterable[Group], mappings: Iterable[RoleMapping]
) -> tuple[Role, ...]:
    """The roles the technician may have in the tenant, without duplicates, in the order of their names.

    Raises ``BadInputError`` when a mapping that would apply to the tenant names a group that is not there.
    """
    known = {group.name: group for group in groups} | {ALL_TECHNICIANS: Group(ALL_TECHNICIANS)}
    roles: dict[RoleId, Role] = {}
    for mapping in mappings:
        if mapping.tenant_id not in (None, tenant_id):
            continue
        if mapping.group not in known:
            raise BadInputError(f"a role mapping names the group {mapping.group!r}, which does not exist")
        if technician in known[mapping.group]:
            roles[mapping.role.id] = mapping.role
    return tuple(sorted(roles.values(), key=lambda role: (role.name, role.id)))
