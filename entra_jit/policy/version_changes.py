"""What changed from one whole configuration to the next, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields

from entra_jit.policy.configuration import Configuration, GroupEntry, TechnicianEntry, TenantDefaults
from entra_jit.policy.configuration_changes import terms_by_field
from entra_jit.policy.configuration_edits import describe_rule
from entra_jit.policy.tenant_changes import access_by_group, describe_changes, describe_differences


def describe_versions(before: Configuration, after: Configuration) -> tuple[str, ...]:
    """A line a change: tenants, technicians, groups, what is given in every tenant, defaults."""
    return (
        *_tenants(before, after),
        *_entries("technician", _technicians(before.technicians), _technicians(after.technicians)),
        *_entries("group", _groups(before.groups), _groups(after.groups)),
        *(f"every tenant, {line}" for line in describe_differences(_everywhere(before), _everywhere(after))),
        *(f"defaults, {line}" for line in describe_differences(_terms(before.defaults), _terms(after.defaults))),
    )


def _tenants(before: Configuration, after: Configuration) -> Iterator[str]:
    old, new = ({one.id: one for one in configuration.tenants} for configuration in (before, after))
    for tenant_id in dict.fromkeys((*old, *new)):
        was, is_now = old.get(tenant_id), new.get(tenant_id)
        mapped = (
            [one for one in configuration.role_mappings if entry and one.tenant == entry.name]
            for configuration, entry in ((before, was), (after, is_now))
        )
        name = (is_now or old[tenant_id]).name
        yield from (f"{name}, {line[0].lower()}{line[1:]}" for line in describe_changes(was, is_now, *mapped))


def _entries(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in dict.fromkeys((*before, *after)):
        if name not in before:
            yield f"{kind} {name} added: {after[name]}"
        elif name not in after:
            yield f"{kind} {name} removed"
        elif before[name] != after[name]:
            yield f"{kind} {name}: {before[name]} → {after[name]}"


def _technicians(entries: Iterable[TechnicianEntry]) -> dict[str, str]:
    return {
        one.name: ", ".join(
            (f"{one.display_name}, {one.id}", *(f"{key} = {value}" for key, value in sorted(one.attributes.items())))
        )
        for one in entries
    }


def _groups(entries: Iterable[GroupEntry]) -> dict[str, str]:
    return {
        one.name: "; ".join((", ".join(sorted(one.members)) or "no listed members", *map(describe_rule, one.rules)))
        for one in entries
    }


def _everywhere(configuration: Configuration) -> dict[str, str]:
    return access_by_group(one for one in configuration.role_mappings if one.tenant is None)


def _terms(defaults: TenantDefaults) -> Mapping[str, str]:
    return terms_by_field("", **{field.name: getattr(defaults, field.name) for field in fields(defaults)}, tags=())
