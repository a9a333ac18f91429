"""Whether the tenant's policy allows the Temporary Access Passes that grants need."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from entra_jit.accounts.doctor.examined import Examination, ExaminedTenant, failed, listed, ok, warning
from entra_jit.graph import AccessPassPolicy
from entra_jit.ledger.examinations import ConfiguredTenant
from entra_jit.policy.durations import format_duration
from models.checks import Check, Finding
from models.messages import AccessKind

_UNUSED = "Accounts sign in with passwords here."


def judge_policy(policy: AccessPassPolicy, configured: ConfiguredTenant) -> Finding:
    """Whether our accounts can have passes."""
    if configured.credential == "password":
        return ok(Check.PASS_POLICY, _UNUSED)
    bad = failed if configured.credential == "temporary_access_pass" else warning
    if policy.state != "enabled":
        return bad(Check.PASS_POLICY, "Passes are disabled.")
    if policy.covers_everyone:
        return ok(Check.PASS_POLICY, "Passes are enabled for all users.")
    if policy.exclude_targets:
        return bad(Check.PASS_POLICY, "Passes are enabled, and some groups are excluded.")
    mapped = {item.id for item in configured.mapped_of(AccessKind.GROUP)}
    groups = [target.id or "" for target in policy.include_targets]
    if mapped & set(groups):
        return ok(Check.PASS_POLICY, "Passes are enabled for a group that role mappings give.")
    return bad(Check.PASS_POLICY, f"Passes are enabled only for groups that we do not give: {listed(groups)}.")


def judge_lifetime(policy: AccessPassPolicy, configured: ConfiguredTenant) -> Finding:
    """Whether a pass can last as long as the longest grant."""
    longest, wanted = timedelta(minutes=policy.maximum_lifetime), configured.terms.max_duration
    read = f"A pass lasts at most {format_duration(longest)}, a grant {format_duration(wanted)}."
    if configured.credential == "password":
        return ok(Check.PASS_LIFETIME, _UNUSED)
    return ok(Check.PASS_LIFETIME, read) if longest >= wanted else warning(Check.PASS_LIFETIME, read)


def judge_once(policy: AccessPassPolicy, configured: ConfiguredTenant) -> Finding:
    """Whether passes can be used more than once."""
    if configured.credential == "password":
        return ok(Check.PASS_ONCE, _UNUSED)
    if policy.is_usable_once:
        return warning(Check.PASS_ONCE, "Every pass works once.")
    return ok(Check.PASS_ONCE, "Passes can be used more than once.")


async def _policy(tenant: ExaminedTenant) -> Sequence[Finding]:
    policy = await tenant.as_seen_by("elevate").access_passes.policy()
    return [judge(policy, tenant.configured) for judge in (judge_policy, judge_lifetime, judge_once)]


EXAMINATIONS = (Examination((Check.PASS_POLICY, Check.PASS_LIFETIME, Check.PASS_ONCE), _policy),)
