"""Who may have what: a technician's groups, and the access that the groups map to in a tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from models.errors import BadInputError
from models.messages import AccessItem, AccessKind, TechnicianId, TenantId

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
    """An access item that a group of technicians has in one tenant, or (``tenant_id`` None) in all."""

    group: str
    tenant_id: TenantId | None
    item: AccessItem


def entitled_access(
    technician: Technician, tenant_id: TenantId, groups: Iterable[Group], mappings: Iterable[RoleMapping]
) -> tuple[AccessItem, ...]:
    """What the technician may have in the tenant, without duplicates: kind by kind, in the order of the names.

    Raises ``BadInputError`` when a mapping that would apply to the tenant names a group that is not there.
    """
    known = {group.name: group for group in groups} | {ALL_TECHNICIANS: Group(ALL_TECHNICIANS)}
    access: dict[tuple[AccessKind, str], AccessItem] = {}
    for mapping in mappings:
        if mapping.tenant_id not in (None, tenant_id):
            continue
        if mapping.group not in known:
            raise BadInputError(f"a role mapping names the group {mapping.group!r}, which does not exist")
        if technician in known[mapping.group]:
            access[mapping.item.key] = mapping.item
    kinds = list(AccessKind)
    return tuple(sorted(access.values(), key=lambda item: (kinds.index(item.kind), item.name, item.id)))
