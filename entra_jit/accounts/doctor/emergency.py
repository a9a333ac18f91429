"""Whether the tenant's emergency accounts are known to work: what their drills came to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from entra_jit.accounts.doctor.examined import Examination, ExaminedTenant, failed, ok, warning
from models.checks import Check, Finding
from models.messages import EmergencyAccountView, SignInOutcome
from models.moments import format_moment

LONG_AGO = timedelta(days=42)
"""A drill is due every month; two weeks later something keeps it from happening."""


def judge_emergency(accounts: Sequence[EmergencyAccountView], at: datetime) -> Finding:
    """The worst of the accounts decides."""
    if not accounts:
        return ok(Check.EMERGENCY, "None are configured.")
    for one in accounts:
        if one.credential is None:
            return failed(Check.EMERGENCY, f"The emergency account {one.number} has no proven credential.")
        if one.drill_outcome is SignInOutcome.REFUSED:
            return failed(Check.EMERGENCY, f"{one.account_name}: {one.drill_outcome}. {one.drill_detail or ''}".strip())
    for one in accounts:
        if one.drill_outcome is not SignInOutcome.SIGNED_IN:
            return warning(Check.EMERGENCY, f"{one.account_name}: {one.drill_outcome or 'not tried yet'}.")
        if one.drilled_at is None or one.drilled_at < at - LONG_AGO:
            when = format_moment(one.drilled_at) if one.drilled_at else "ever"
            return warning(Check.EMERGENCY, f"{one.account_name} was not tried since {when}.")
    return ok(Check.EMERGENCY, f"{len(accounts)} signed in at the last try.")


async def _last(tenant: ExaminedTenant) -> list[Finding]:
    return [judge_emergency(tenant.configured.emergency_accounts, tenant.at)]


EXAMINATIONS = (Examination((Check.EMERGENCY,), _last),)
