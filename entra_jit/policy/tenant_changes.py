"""What changed about one tenant from a configuration to the next, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from entra_jit.policy.configuration import RoleMappingEntry, TenantEntry
from entra_jit.policy.configuration_changes import terms_by_field


def describe_changes(
    before: TenantEntry | None,
    after: TenantEntry | None,
    mapped_before: Iterable[RoleMappingEntry],
    mapped_after: Iterable[RoleMappingEntry],
) -> tuple[str, ...]:
    """A line a change, by the names of the file's fields; mappings by their group."""
    if after is None:
        return ("Removed from the configuration.",) if before else ()
    if before is None:
        return ("Added to the configuration.", *describe_differences({}, access_by_group(mapped_after)))
    return (
        *describe_differences(_fields(before), _fields(after)),
        *describe_differences(access_by_group(mapped_before), access_by_group(mapped_after)),
    )


def describe_differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """``hours: 4h → 2h`` for each name whose text is another by now."""
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name) or "nothing", after.get(name) or "nothing"
        if old != new:
            yield f"{name}: {old} → {new}"


def _fields(tenant: TenantEntry) -> dict[str, str]:
    terms = terms_by_field(
        tenant.account_domain,
        tenant.account_prefix,
        hours=tenant.hours,
        max_hours=tenant.max_hours,
        credential=tenant.credential,
        canary=tenant.canary,
        emergency_accounts=tenant.emergency_accounts,
        emergency_rotation=tenant.emergency_rotation,
        tags=tenant.tags,
    )
    applications = {str(purpose): f"{one.kind} of {one.client_id}" for purpose, one in tenant.applications()}
    groups = {f"security group {one.name}": str(one.id) for one in tenant.security_groups}
    return {"name": tenant.name, "display_name": tenant.display_name, **terms, **applications, **groups}


def access_by_group(mappings: Iterable[RoleMappingEntry]) -> dict[str, str]:
    """What each group has by these mappings."""
    given: dict[str, list[str]] = {}
    for one in mappings:
        given.setdefault(one.group, []).extend((*one.roles, *one.security_groups))
    return {f"access of {group}": ", ".join(items) for group, items in given.items()}
