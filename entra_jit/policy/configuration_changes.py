"""What changes from one configuration to another: entries, what technicians may have, and grants that end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from entra_jit.policy.configuration import Configuration
from entra_jit.policy.durations import format_duration
from entra_jit.policy.entitlement import ALL_TECHNICIANS, Group, RoleMapping, Technician
from models.configuration_plan import AccessChange, ConfigurationPlan, EndingGrant, EntryChanges, TenantChange
from models.marks import CANARY_ID
from models.messages import AccessKind, TechnicianId, TenantId

_Key = TypeVar("_Key")

_Given = tuple[TenantId | None, tuple[AccessKind, str]]
"""An item of access in a tenant, or (None) in every tenant."""


@dataclass(frozen=True)
class Configured:
    """What is configured at a time: in a file, or in the ledger."""

    tenants: Mapping[TenantId, str]
    terms: Mapping[TenantId, Mapping[str, str]]
    """Of each tenant, what ``terms_by_field`` shows."""
    technicians: Mapping[TechnicianId, tuple[str, Technician]]
    """Each with the name that people type."""
    groups: tuple[Group, ...]
    mappings: tuple[RoleMapping, ...]


@dataclass(frozen=True)
class UnclosedGrant:
    """A grant that is not being closed yet."""

    tenant_id: TenantId
    technician_id: TechnicianId
    shown: EndingGrant


def configured_by(configuration: Configuration) -> Configured:
    """What a file configures."""
    return Configured(
        tenants={TenantId(str(tenant.id)): tenant.name for tenant in configuration.tenants},
        terms={
            TenantId(str(one.id)): terms_by_field(
                one.account_domain,
                one.account_prefix,
                hours=one.hours,
                max_hours=one.max_hours,
                credential=one.credential,
                canary=one.canary,
                emergency_accounts=one.emergency_accounts,
                emergency_rotation=one.emergency_rotation,
                tags=one.tags,
            )
            for one in configuration.tenants
        },
        technicians={
            TechnicianId(str(one.id)): (one.name, Technician(TechnicianId(str(one.id)), one.attributes))
            for one in configuration.technicians
        },
        groups=configuration.technician_groups(),
        mappings=configuration.mappings,
    )


def terms_by_field(
    account_domain: str,
    account_prefix: str,
    *,
    hours: timedelta,
    max_hours: timedelta,
    credential: str,
    canary: str,
    emergency_accounts: int,
    emergency_rotation: timedelta,
    tags: Iterable[str],
) -> Mapping[str, str]:
    """What people see of a tenant's terms, by the names of the file's fields."""
    return {
        "account_domain": account_domain,
        "account_prefix": account_prefix,
        "hours": format_duration(hours),
        "max_hours": format_duration(max_hours),
        "credential": credential,
        "canary": canary,
        "emergency_accounts": str(emergency_accounts),
        "emergency_rotation_days": str(emergency_rotation.days),
        "tags": ", ".join(tags),
    }


def plan_changes(before: Configured, configuration: Configuration, live: Iterable[UnclosedGrant]) -> ConfigurationPlan:
    """What applying the configuration does to what is configured before it."""
    after = configured_by(configuration)
    gains, losses = _access_changes(before, after)
    return ConfigurationPlan(
        entries={
            "tenants": len(configuration.tenants),
            "technicians": len(configuration.technicians),
            "groups": len(configuration.groups),
            "role_mappings": len(configuration.role_mappings),
        },
        tenants=_entry_changes(before.tenants, after.tenants),
        technicians=_entry_changes(
            {id: name for id, (name, _) in before.technicians.items()},
            {id: name for id, (name, _) in after.technicians.items()},
        ),
        role_mappings=_entry_changes(_named_mappings(before, after), _named_mappings(after, after)),
        changed=tuple(_tenant_changes(before, after)),
        gains=gains,
        losses=losses,
        ending=tuple(
            grant.shown
            for grant in live
            if grant.tenant_id not in after.tenants or grant.technician_id not in {*after.technicians, CANARY_ID}
        ),
    )


def _entry_changes(before: Mapping[_Key, str], after: Mapping[_Key, str]) -> EntryChanges:
    return EntryChanges(
        before=len(before),
        added=tuple(sorted(after[key] for key in after.keys() - before.keys())),
        removed=tuple(sorted(before[key] for key in before.keys() - after.keys())),
    )


def _tenant_changes(before: Configured, after: Configured) -> Iterator[TenantChange]:
    for tenant_id in sorted(before.terms.keys() & after.terms.keys(), key=lambda one: after.tenants[one]):
        old, new = before.terms[tenant_id], after.terms[tenant_id]
        for field in new:
            if old[field] != new[field]:
                yield TenantChange(tenant=after.tenants[tenant_id], field=field, before=old[field], after=new[field])


def _named_mappings(configured: Configured, after: Configured) -> dict[object, str]:
    """Those that a change of the file's mappings can remove: not those that leave with their tenant."""
    return {
        (mapping.group, mapping.tenant_id, mapping.item.key): f"{mapping.item.name} for {mapping.group} in "
        f"{after.tenants[mapping.tenant_id] if mapping.tenant_id else 'every tenant'}"
        for mapping in configured.mappings
        if mapping.tenant_id is None or mapping.tenant_id in after.tenants
    }


def _access_changes(before: Configured, after: Configured) -> tuple[tuple[AccessChange, ...], tuple[AccessChange, ...]]:
    """What technicians who stay gain and lose in tenants that stay."""
    staying = before.tenants.keys() & after.tenants.keys()
    had, has = _Access(before, staying), _Access(after, staying)
    remapped = {group for group in had.given.keys() | has.given.keys() if had.given[group] != has.given[group]}
    names = had.names | has.names
    tenants = {tenant_id: after.tenants[tenant_id] for tenant_id in staying}
    gains: list[AccessChange] = []
    losses: list[AccessChange] = []
    for technician_id in before.technicians.keys() & after.technicians.keys():
        groups = had.groups_of(technician_id)
        if groups == has.groups_of(technician_id) and remapped.isdisjoint(groups):
            continue
        name, old, new = after.technicians[technician_id][0], had.of(technician_id), has.of(technician_id)
        gains += _as_changes(name, new, old, tenants, names)
        losses += _as_changes(name, old, new, tenants, names)
    return tuple(sorted(gains, key=_order)), tuple(sorted(losses, key=_order))


def _order(change: AccessChange) -> tuple[str, str]:
    return change.technician, change.tenant or ""


class _Access:
    """What each technician may have in the tenants that stay."""

    def __init__(self, configured: Configured, staying: Iterable[TenantId]) -> None:
        kept = set(staying)
        self.names = {mapping.item.key: mapping.item.name for mapping in configured.mappings}
        self._technicians = configured.technicians
        self._groups = (*configured.groups, Group(ALL_TECHNICIANS))
        self.given: dict[str, set[_Given]] = defaultdict(set)
        """What each group has."""
        for mapping in configured.mappings:
            if mapping.tenant_id is None or mapping.tenant_id in kept:
                self.given[mapping.group].add((mapping.tenant_id, mapping.item.key))

    def groups_of(self, technician_id: TechnicianId) -> set[str]:
        """The groups that the technician is in."""
        technician = self._technicians[technician_id][1]
        return {group.name for group in self._groups if technician in group}

    def of(self, technician_id: TechnicianId) -> set[_Given]:
        """What the groups give the technician."""
        return set().union(*(self.given[group] for group in self.groups_of(technician_id)))


def _as_changes(
    technician: str,
    held: set[_Given],
    other: set[_Given],
    tenants: Mapping[TenantId, str],
    names: Mapping[tuple[AccessKind, str], str],
) -> list[AccessChange]:
    """What is in ``held`` and not in ``other``, tenant by tenant."""
    lacking: dict[str | None, set[str]] = defaultdict(set)
    everywhere = {item for tenant_id, item in other if tenant_id is None}
    for tenant_id, item in held - other:
        if item in everywhere or (tenant_id and (None, item) in held):
            continue
        without = [tenant_id] if tenant_id else [id for id in tenants if (id, item) not in other]
        if tenant_id is None and without and len(without) == len(tenants):
            lacking[None].add(names[item])
        else:
            for id in without:
                lacking[tenants[id]].add(names[item])
    return [
        AccessChange(technician=technician, tenant=tenant, access=tuple(sorted(access)))
        for tenant, access in lacking.items()
    ]
