"""What comes with new tenants and new technicians: a plan tells what those gain who stay, where both were before.

Asked the other way round it is what goes with those that leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from entra_jit.policy.configuration import Configuration, TechnicianEntry
from entra_jit.policy.entitlement import ALL_TECHNICIANS, Group, RoleMapping, Technician
from models.configuration_plan import AccessChange
from models.messages import TechnicianId, TenantId


def access_of_arrivals(before: Configuration, after: Configuration) -> tuple[AccessChange, ...]:
    """What each technician may have in tenants that are new, and what new technicians may have anywhere."""
    known = {one.id for one in before.technicians}
    tenants: dict[TenantId | None, str | None] = {TenantId(str(one.id)): one.name for one in after.tenants}
    old = {TenantId(str(one.id)) for one in before.tenants}
    groups = (*after.technician_groups(), Group(ALL_TECHNICIANS))
    found: list[AccessChange] = []
    for technician in after.technicians:
        theirs = list(_mappings_of(technician, groups, after.mappings))
        if technician.id not in known:
            found += _changes(technician.name, theirs, {None: None, **tenants})
        else:
            # What is given in every tenant is given in the new ones as well.
            new = {id: name for id, name in tenants.items() if id not in old}
            spread = [RoleMapping(one.group, id, one.item) for one in theirs for id in new if one.tenant_id is None]
            found += _changes(technician.name, [*theirs, *spread], new)
    return tuple(found)


def _mappings_of(
    technician: TechnicianEntry, groups: Iterable[Group], mappings: Iterable[RoleMapping]
) -> Iterator[RoleMapping]:
    person = Technician(TechnicianId(str(technician.id)), technician.attributes)
    theirs = {group.name for group in groups if person in group}
    return (one for one in mappings if one.group in theirs)


def _changes(
    technician: str, theirs: Iterable[RoleMapping], tenants: Mapping[TenantId | None, str | None]
) -> Iterator[AccessChange]:
    given: dict[TenantId | None, set[str]] = {}
    for one in theirs:
        given.setdefault(one.tenant_id, set()).add(one.item.name)
    for tenant_id, tenant in tenants.items():
        if access := given.get(tenant_id):
            yield AccessChange(technician=technician, tenant=tenant, access=tuple(sorted(access)))
