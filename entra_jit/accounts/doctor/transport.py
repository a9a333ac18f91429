"""What Microsoft's answers say beside what was asked: its clock, and how near its limits are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from entra_jit.accounts.doctor.examined import Examination, ExaminedTenant, failed, ok, unknown, warning
from entra_jit.graph.calls import Heard
from models.checks import Check, Finding

WARN_SKEW = timedelta(seconds=10)
FAIL_SKEW = timedelta(minutes=1)
_ROUNDING = timedelta(seconds=1)


def judge_clock(heard: Heard | None) -> Finding:
    """Whether our clock agrees with Microsoft's, which tells whole seconds."""
    if heard is None or heard.date is None:
        return unknown(Check.CLOCK, "Microsoft did not tell its time.")
    skew = max(timedelta(0), abs(heard.at - heard.date) - _ROUNDING)
    seconds = skew.total_seconds()
    order = "behind" if heard.at < heard.date else "ahead of"
    read = f"Ours is {seconds:.0f} s {order} Microsoft's." if seconds >= 1 else "Ours agrees with Microsoft's."
    if skew > FAIL_SKEW:
        return failed(Check.CLOCK, read)
    return warning(Check.CLOCK, read) if skew > WARN_SKEW else ok(Check.CLOCK, read)


def judge_throttling(heard: Heard | None) -> Finding:
    """Whether our application is near one of its limits in the tenant."""
    if heard is None:
        return unknown(Check.THROTTLING, "There was no answer.")
    if heard.throttle_limit is None:
        return ok(Check.THROTTLING, "Less than 80 % of a limit is used.")
    read = f"{heard.throttle_limit:.0%} of a limit is used."
    return failed(Check.THROTTLING, read) if heard.throttle_limit >= 1 else warning(Check.THROTTLING, read)


async def _answers(tenant: ExaminedTenant) -> Sequence[Finding]:
    reader = tenant.as_seen_by("elevate")
    await reader.organization.get()
    return [judge_clock(reader.heard), judge_throttling(reader.heard)]


EXAMINATIONS = (Examination((Check.CLOCK, Check.THROTTLING), _answers),)
