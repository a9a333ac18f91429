"""The answer to a request, from facts that the caller has read. Where a fact is missing the answer is no."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from entra_jit.policy.durations import format_duration
from entra_jit.policy.entitlement import Group, RoleMapping, Technician, entitled_access
from entra_jit.policy.facts import Facts, TechnicianTerms, TenantTerms
from entra_jit.policy.names import account_name
from entra_jit.policy.rules import hours, parties, selection, window
from models.errors import BadInputError
from models.messages import AccessItem
from models.moments import format_moment


@dataclass(frozen=True)
class Reason:
    """Why one part of a decision is as it is."""

    rule: str
    """The rule's name: that of its module in ``rules``, or ``stop``, ``entitlement``, ``account``."""
    line: str
    """A sentence for people."""


@dataclass(frozen=True)
class Terms:
    """On which a request may be provisioned."""

    account_name: str
    access: tuple[AccessItem, ...]
    duration: timedelta
    window_ends_at: datetime


@dataclass(frozen=True)
class PolicyDecision:
    """What the rules answer, and why."""

    terms: Terms | None
    """None: denied."""
    reasons: tuple[Reason, ...]
    """Of a denial the one rule that denies; of an allowance what gave each of its terms."""

    @property
    def sentence(self) -> str:
        """The answer in one line."""
        if self.terms is None:
            return " ".join(reason.line for reason in self.reasons)
        return f"Allowed: {', '.join(item.words for item in self.terms.access)}."


def decide(facts: Facts) -> PolicyDecision:
    """Whether the rules allow the request, and on which terms. Live grants are the lock's business, not the rules'."""
    request, tenant, technician = facts.request, facts.tenant, facts.technician
    unknown = parties.refuse(facts)
    if unknown or tenant is None or technician is None:
        return _denied("parties", unknown or "")
    refusals = (
        ("stop", facts.stop.sentence if facts.stop else None),
        ("window", window.refuse(request, facts.at)),
        ("hours", hours.refuse(request, tenant)),
    )
    for rule, line in refusals:
        if line:
            return _denied(rule, line)
    try:
        entitled = _entitled(tenant, technician, facts.groups, facts.mappings)
    except BadInputError as error:
        return _denied("entitlement", f"Invalid configuration: {error}.")
    if not entitled:
        return _denied("entitlement", f"No role mapping gives {technician.name} any access in {tenant.name}.")
    if line := selection.refuse(request, entitled):
        return _denied("selection", line)
    try:
        name = account_name(tenant.account_prefix, technician.name, technician.id, tenant.account_domain)
    except BadInputError as error:
        return _denied("account", f"Invalid configuration: {error}.")
    access = selection.wanted(request, entitled)
    terms = Terms(name, access, hours.wanted(request, tenant), window.ends_at(facts.at))
    return PolicyDecision(terms, _why(terms, entitled, technician, tenant))


def _entitled(
    tenant: TenantTerms, technician: TechnicianTerms, groups: Iterable[Group], mappings: Iterable[RoleMapping]
) -> tuple[AccessItem, ...]:
    return entitled_access(Technician(technician.id, technician.attributes), tenant.id, groups, mappings)


def _denied(rule: str, line: str) -> PolicyDecision:
    return PolicyDecision(None, (Reason(rule, line),))


def _why(
    terms: Terms, entitled: tuple[AccessItem, ...], technician: TechnicianTerms, tenant: TenantTerms
) -> tuple[Reason, ...]:
    names = ", ".join(item.words for item in entitled)
    most = f"{tenant.name} allows at most {format_duration(tenant.max_duration)}"
    return (
        Reason("entitlement", f"The role mappings give {technician.name} in {tenant.name}: {names}."),
        Reason("selection", f"Asked for {len(terms.access)} of {len(entitled)}."),
        Reason("hours", f"{format_duration(terms.duration)}; {most}."),
        Reason("window", f"To be opened by {format_moment(terms.window_ends_at)}."),
    )


def no_longer_due(
    access: Iterable[AccessItem],
    tenant: TenantTerms,
    technician: TechnicianTerms,
    groups: Iterable[Group],
    mappings: Iterable[RoleMapping],
) -> str | None:
    """Why what was granted may not be opened or extended under the configuration of now; None: it may."""
    if gone := parties.departed(tenant, technician):
        return gone
    try:
        entitled = {item.key for item in _entitled(tenant, technician, groups, mappings)}
    except BadInputError as error:
        return f"Invalid configuration: {error}."
    lost = ", ".join(item.words for item in access if item.key not in entitled)
    return f"{technician.name} is no longer entitled to {lost} in {tenant.name}." if lost else None
