"""What the tenant demands of technicians who sign in, and what it has licences for."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence

from entra_jit.accounts.conditional_access import (
    EVERYTHING,
    demand_of,
    is_in_force_where_people_work,
    strength_of,
)
from entra_jit.accounts.doctor.examined import Examination, ExaminedTenant, listed, ok, warning
from entra_jit.accounts.doctor.passkeys import groups_of, judge_passkeys
from entra_jit.graph.licences import ENTRA_ID_P1, ENTRA_ID_P2, Subscription
from entra_jit.graph.policies import ConditionalAccessPolicy, SecurityDefaults
from entra_jit.ledger.examinations import ConfiguredTenant
from models.checks import Check, Finding

_A_PASS = "temporaryAccessPass"  # how Microsoft names the method
_WORKING = frozenset({None, "Enabled", "Warning"})


def judge_security_defaults(found: SecurityDefaults, configured: ConfiguredTenant) -> Finding:
    """Whether they are on where accounts have nothing but a password."""
    if not found.is_enabled:
        return ok(Check.SECURITY_DEFAULTS, "Off.")
    if configured.credential == "password":
        return warning(Check.SECURITY_DEFAULTS, "On, and accounts sign in with passwords.")
    return ok(Check.SECURITY_DEFAULTS, "On; a pass satisfies them.")


def judge_conditional_access(policies: Iterable[ConditionalAccessPolicy], configured: ConfiguredTenant) -> Finding:
    """Which policies in force could keep technicians out. Exclusions by group may spare them: a warning, no failure."""
    found = [
        f"{policy.display_name or policy.id} {demand}"
        for policy in policies
        if _concerns_us(policy, {item.id for item in configured.mapped}) and (demand := demand_of(policy, _A_PASS))
    ]
    if found:
        return warning(Check.CONDITIONAL_ACCESS, f"{listed(found)}.")
    return ok(Check.CONDITIONAL_ACCESS, "No policy keeps technicians out.")


def demanding_phishing_resistance(
    policies: Iterable[ConditionalAccessPolicy], configured: ConfiguredTenant
) -> Sequence[str]:
    """The names of the policies in force that demand of our accounts what no pass is."""
    mapped = {item.id for item in configured.mapped}
    return [
        policy.display_name or policy.id
        for policy in policies
        if _concerns_us(policy, mapped) and policy.grant_controls and strength_of(policy.grant_controls, _A_PASS)
    ]


def judge_licences(subscriptions: Iterable[Subscription]) -> Finding:
    """What of Entra ID the tenant pays for. Neither is demanded."""
    plans = {plan.id for one in subscriptions if one.status in _WORKING for plan in one.service_plans}
    names = {ENTRA_ID_P2: "Entra ID P2", ENTRA_ID_P1: "Entra ID P1"}
    return ok(Check.LICENCES, next((f"{name}." for plan, name in names.items() if plan in plans), "Entra ID Free."))


def _concerns_us(policy: ConditionalAccessPolicy, mapped: Collection[str]) -> bool:
    when = policy.conditions
    given = set(mapped)
    is_about_us = (
        EVERYTHING in when.users.include_users
        or given & set(when.users.include_roles)
        or given & set(when.users.include_groups)
    )
    is_spared = given & set(when.users.exclude_groups)
    return bool(is_in_force_where_people_work(policy) and is_about_us and not is_spared)


async def _security_defaults(tenant: ExaminedTenant) -> Sequence[Finding]:
    found = await tenant.as_seen_by("elevate").policies.security_defaults()
    return [judge_security_defaults(found, tenant.configured)]


async def _conditional_access(tenant: ExaminedTenant) -> Sequence[Finding]:
    elevate = tenant.as_seen_by("elevate")
    found, policy, groups = await asyncio.gather(
        elevate.policies.conditional_access(), elevate.passkey_policy.get(), groups_of(tenant)
    )
    demanding = demanding_phishing_resistance(found, tenant.configured)
    return [
        judge_conditional_access(found, tenant.configured),
        judge_passkeys(policy, groups, demanding, tenant.configured),
    ]


async def _licences(tenant: ExaminedTenant) -> Sequence[Finding]:
    return [judge_licences(await tenant.as_seen_by("elevate").licences.list())]


EXAMINATIONS = (
    Examination((Check.SECURITY_DEFAULTS,), _security_defaults),
    Examination((Check.CONDITIONAL_ACCESS, Check.PASSKEYS), _conditional_access),
    Examination((Check.LICENCES,), _licences),
)
