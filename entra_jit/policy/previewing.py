"""What a technician would get before they ask: the same decision as that of a request, and what else could be had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from entra_jit.policy.decision import PolicyDecision, decide
from entra_jit.policy.durations import format_duration
from entra_jit.policy.entitlement import ALL_TECHNICIANS, Technician, applicable, entitled_access
from entra_jit.policy.facts import Facts
from entra_jit.policy.roles import is_privileged
from models.errors import BadInputError
from models.messages import AccessItem

CHOICES = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 240))
"""The lengths that are offered. Any other within the limit can be typed."""


@dataclass(frozen=True)
class PossibleAccess:
    """One thing that the role mappings give, and why."""

    item: AccessItem
    privileged: bool
    """Asked for on purpose only: it is not part of what is offered at first."""
    because: tuple[str, ...]
    """Each mapping that gives it: ``Group level-2, in every tenant``."""


@dataclass(frozen=True)
class Choice:
    """One of the lengths that are offered."""

    duration: timedelta
    refused: str | None
    """Why it cannot be had; None: it can."""


@dataclass(frozen=True)
class AccessPreview:
    """What asking now would give."""

    decision: PolicyDecision
    possible: tuple[PossibleAccess, ...]
    """All that could be asked for; none where it is not known."""
    default: timedelta
    longest: timedelta
    limit: str
    """The limit as a sentence, with the setting that makes it."""
    choices: tuple[Choice, ...]

    @property
    def refused(self) -> str | None:
        """Why nothing can be had; None: something can."""
        return None if self.decision.terms else self.decision.sentence


def preview(facts: Facts) -> AccessPreview:
    """What the request of ``facts`` would be answered. Pure: nothing is recorded, and no lock is taken."""
    tenant = facts.tenant
    if tenant is None:
        return AccessPreview(decide(facts), (), timedelta(0), timedelta(0), "", ())
    return AccessPreview(
        decision=decide(facts),
        possible=tuple(_possible(facts)),
        default=tenant.default_duration,
        longest=tenant.max_duration,
        limit=f"{tenant.name} allows at most {format_duration(tenant.max_duration)}, extensions included (max_hours).",
        choices=tuple(_choice(duration, tenant.max_duration) for duration in CHOICES),
    )


def _choice(duration: timedelta, longest: timedelta) -> Choice:
    return Choice(duration, None if duration <= longest else f"Longer than {format_duration(longest)}.")


def _possible(facts: Facts) -> Iterator[PossibleAccess]:
    if facts.tenant is None or facts.technician is None:
        return
    technician = Technician(facts.technician.id, facts.technician.attributes)
    try:
        mappings = list(applicable(technician, facts.tenant.id, facts.groups, facts.mappings))
        entitled = entitled_access(technician, facts.tenant.id, facts.groups, facts.mappings)
    except BadInputError:
        return  # the decision says so
    for item in entitled:
        because = [
            f"{_group(mapping.group)}, in {facts.tenant.name if mapping.tenant_id else 'every tenant'}"
            for mapping in mappings
            if mapping.item.key == item.key
        ]
        yield PossibleAccess(item, is_privileged(item), tuple(because))


def _group(name: str) -> str:
    return "All technicians" if name == ALL_TECHNICIANS else f"Group {name}"
