"""Who may have what: a technician's groups, and the access that the groups map to in a tenant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from entra_jit.policy.roles import find_role
from models.errors import BadInputError
from models.marks import CANARY_ID
from models.messages import AccessItem, AccessKind, TechnicianId, TenantId

ALL_TECHNICIANS = "all-technicians"
"""The built-in group of every active technician."""

CANARY_ROLE = "Directory Readers"
"""All that the canary is given: what every member of a tenant may read anyway."""


@dataclass(frozen=True)
class Technician:
    """What entitlement knows of a technician."""

    id: TechnicianId
    attributes: Mapping[str, str] = field(default_factory=dict)


class AttributeTest(StrEnum):
    """How a rule compares a technician's attribute. Upper and lower case differ."""

    ONE_OF = "one_of"
    PREFIX = "prefix"


@dataclass(frozen=True)
class AttributeRule:
    """What an attribute must be: one of ``values``, or begin with the only one of them."""

    attribute: str
    test: AttributeTest
    values: tuple[str, ...]

    def holds_for(self, technician: Technician) -> bool:
        """Whether the technician's attribute passes. One that is not there never does."""
        value = technician.attributes.get(self.attribute)
        if value is None:
            return False
        return value in self.values if self.test is AttributeTest.ONE_OF else value.startswith(self.values[0])


@dataclass(frozen=True)
class Group:
    """A set of technicians: those listed in ``members``, and all for whom every one of the ``rules`` holds."""

    name: str
    members: frozenset[TechnicianId] = frozenset()
    rules: tuple[AttributeRule, ...] = ()
    """None of them: no technician is in it by attributes."""

    def __contains__(self, technician: Technician) -> bool:
        by_rules = bool(self.rules) and all(rule.holds_for(technician) for rule in self.rules)
        return self.name == ALL_TECHNICIANS or technician.id in self.members or by_rules


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

    The canary may have what it is for, whatever is mapped.

    Raises ``BadInputError`` when a mapping that would apply to the tenant names a group that is not there.
    """
    if technician.id == CANARY_ID:
        return (find_role(CANARY_ROLE),)
    access = {mapping.item.key: mapping.item for mapping in applicable(technician, tenant_id, groups, mappings)}
    kinds = list(AccessKind)
    return tuple(sorted(access.values(), key=lambda item: (kinds.index(item.kind), item.name, item.id)))


def applicable(
    technician: Technician, tenant_id: TenantId, groups: Iterable[Group], mappings: Iterable[RoleMapping]
) -> Iterator[RoleMapping]:
    """The mappings that give the technician something in the tenant. Raises ``BadInputError`` as above."""
    known = {group.name: group for group in groups} | {ALL_TECHNICIANS: Group(ALL_TECHNICIANS)}
    for mapping in mappings:
        if mapping.tenant_id not in (None, tenant_id):
            continue
        if mapping.group not in known:
            raise BadInputError(f"a role mapping names the group {mapping.group!r}, which does not exist")
        if technician in known[mapping.group]:
            yield mapping
