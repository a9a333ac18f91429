"""The canary: an account of its own that is opened, closed and proven, to see that grants work before one is needed.

It is a grant like any other, of a technician who is no person, so that whatever closes grants closes it. No person
signs in to it: that is what it does not try.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from entra_jit.accounts.doctor.examined import Examination, ExaminedTenant, failed, ok, unknown, warning
from entra_jit.ledger.examinations import ConfiguredTenant
from entra_jit.policy.facts import TenantTerms
from models.checks import Check, Finding
from models.marks import CANARY_NAME
from models.messages import AccessRequest, GrantState
from models.moments import format_moment
from models.names import request_id

LASTS = timedelta(minutes=15)
"""It ends as soon as it has been seen open; by its own clock, where that is not seen."""

NOT_TRIED = "Sign-in not tried."


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
    return ok(Check.CANARY, f"{opened}, proven closed at {format_moment(last.closed_at)}. {NOT_TRIED}")


async def _last(tenant: ExaminedTenant) -> list[Finding]:
    return [judge_canary(tenant.configured)]


EXAMINATIONS = (Examination((Check.CANARY,), _last),)
