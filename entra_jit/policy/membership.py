"""Why a technician is in a group, and what groups give: the sentences of the page about people and groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from entra_jit.policy.configuration import Configuration, TechnicianEntry
from entra_jit.policy.configuration_edits import describe_rule
from entra_jit.policy.entitlement import ALL_TECHNICIANS, Group, Technician
from entra_jit.policy.roles import find_role, is_privileged
from models.messages import TechnicianId


@dataclass(frozen=True)
class Membership:
    """A technician in a group."""

    technician: TechnicianEntry
    group: str
    because: str


@dataclass(frozen=True)
class Gift:
    """What a group gives in one tenant, or (None) in every tenant."""

    group: str
    tenant: str | None
    access: tuple[tuple[str, bool], ...]
    """Names, and whether each is a privileged role."""


def memberships(configuration: Configuration) -> Iterator[Membership]:
    """Every technician in every group, the built-in one first."""
    people = [(entry, Technician(TechnicianId(str(entry.id)), entry.attributes)) for entry in configuration.technicians]
    for group in (Group(ALL_TECHNICIANS), *configuration.technician_groups()):
        for entry, person in people:
            if because := _why(group, person):
                yield Membership(entry, group.name, because)


def gifts(configuration: Configuration) -> tuple[Gift, ...]:
    """What each role mapping gives, in the order of the file."""
    return tuple(
        Gift(
            one.group,
            one.tenant,
            (
                *((role.name, is_privileged(role)) for role in map(find_role, one.roles)),
                *((name, False) for name in one.security_groups),
            ),
        )
        for one in configuration.role_mappings
    )


def given_to(configuration: Configuration, group: str, tenant: str | None) -> tuple[tuple[str, bool], ...]:
    """What the group has by mappings of this tenant (None: of every tenant), each once."""
    found = {
        item: None for one in gifts(configuration) if (one.group, one.tenant) == (group, tenant) for item in one.access
    }
    return tuple(found)


def _why(group: Group, person: Technician) -> str | None:
    """The way, or both ways, by which the person is in the group; None: they are not."""
    if group.name == ALL_TECHNICIANS:
        return "Every technician is."
    ways = ["its list"] if person.id in group.members else []
    if group.rules and all(rule.holds_for(person) for rule in group.rules):
        ways.append(" and ".join(map(describe_rule, group.rules)))
    return f"By {' and by '.join(ways)}." if ways else None
