"""The canary: an account of its own that is opened, closed and proven, to see that grants work before one is needed.

It is a grant like any other, of a technician who is no person, so that whatever closes grants closes it. A worker's
browser signs in with what the grant gave it, a pass or a password: that is what technicians have. A passkey would prove
another way in than theirs, and take a policy that allows the account one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from entra_jit.accounts.doctor.examined import Examination, ExaminedTenant, failed, ok, unknown, warning
from entra_jit.ledger.examinations import ConfiguredTenant
from entra_jit.policy.facts import TenantTerms
from models.checks import Check, Finding
from models.marks import CANARY_NAME
from models.messages import AccessRequest, GrantState, SignInAttempt, SignInOutcome
from models.moments import format_moment
from models.names import request_id

LASTS = timedelta(minutes=15)
"""It ends as soon as it has been seen open; by its own clock, where that is not seen."""


def canary_request(terms: TenantTerms, key: str, at: datetime) -> AccessRequest:
    """What is asked for, under an id that ``key`` makes unique within the tenant."""
    return AccessRequest(
        tenant=terms.name,
        technician=CANARY_NAME,
        request_id=request_id(terms.name, CANARY_NAME, key),
        reason="The doctor's canary: opened, closed and proven, to see that grants work.",
        duration=min(LASTS, terms.max_duration),
        asked_at=at,
    )


def week_of(terms: TenantTerms, at: datetime) -> str:
    """The key of this week's canary. Tenants begin their weeks on different days, so that not all run at once."""
    return f"{at + timedelta(days=UUID(terms.id).int % 7):%G-w%V}"


def judge_canary(configured: ConfiguredTenant) -> Finding:
    """What the last canary that is over came to."""
    last = configured.last_canary
    if last is None:
        return unknown(Check.CANARY, "None was run.", f"`starter.py tenant canary {configured.terms.name}` runs one.")
    if last.opened_at is None:
        judge = warning if last.state is GrantState.DENIED else failed
        return judge(Check.CANARY, f"Not opened: {last.sentence}")
    opened = f"Opened at {format_moment(last.opened_at)}"
    if last.closed_at is None:
        return failed(Check.CANARY, f"{opened}, and not proven closed: {last.sentence}")
    read = f"{opened}, proven closed at {format_moment(last.closed_at)}. {told_attempt(configured.canary_attempt)}"
    return _JUDGED[outcome_of(configured.canary_attempt)](Check.CANARY, read)


def outcome_of(attempt: SignInAttempt | None) -> SignInOutcome:
    """What came of it; one that was not entered was not tried."""
    return attempt.outcome if attempt else SignInOutcome.NOT_TRIED


def told_attempt(attempt: SignInAttempt | None) -> str:
    """A sentence for people: ``Sign-in: page changed. The sign-in came no further than …``."""
    detail = f" {attempt.detail}" if attempt and attempt.detail else ""
    return f"Sign-in: {outcome_of(attempt).value}.{detail}"


_JUDGED: Mapping[SignInOutcome, Callable[[Check, str], Finding]] = {
    SignInOutcome.SIGNED_IN: ok,
    SignInOutcome.REFUSED: failed,
    SignInOutcome.PAGE_CHANGED: warning,
    SignInOutcome.NOT_TRIED: ok,
}


async def _last(tenant: ExaminedTenant) -> list[Finding]:
    return [judge_canary(tenant.configured)]


EXAMINATIONS = (Examination((Check.CANARY,), _last),)
