"""To the reconciler, a grant that was withdrawn is a reason to close and never one to leave open.

A stop that made it look the other way, in any combination of expiry, lease, fence and mark, would keep an account open
by the very command that was to close it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from entra_jit.policy.reconciliation import Found, LiveGrant, Remedy, judge_found
from models.marks import OpenUntil

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

known = st.timedeltas(timedelta(hours=-9), timedelta(hours=9)).map(lambda away: NOON + away)
moments = st.none() | known
marks = st.none() | st.builds(OpenUntil, st.sampled_from(["r-1", "r-2"]), known, known)
grants = st.builds(
    LiveGrant,
    request_id=st.just("r-1"),
    expires_at=moments,
    lease_until=moments,
    closing_at=moments,
    is_lapsed=st.booleans(),
    mark=marks,
)
accounts = st.builds(
    Found,
    may_be_closed=st.booleans(),
    enabled=st.booleans(),
    holds_access=st.booleans(),
    mark=marks,
)


@given(accounts, grants, st.booleans())
def test_a_withdrawn_grant_never_loosens_the_remedy(found: Found, live: LiveGrant, known: bool) -> None:
    before = judge_found(found, live, NOON, ledger_is_known=known).remedy
    withdrawn = replace(live, withdrawn_because="Access is stopped.")
    after = judge_found(found, withdrawn, NOON, ledger_is_known=known).remedy

    assert after is before or after is Remedy.CLOSE


@given(accounts, grants)
def test_what_is_ours_and_open_is_closed_but_for_an_opening_in_flight(found: Found, live: LiveGrant) -> None:
    withdrawn = replace(live, withdrawn_because="Access is stopped.")
    in_flight = live.lease_until is not None and live.lease_until > NOON
    remedy = judge_found(replace(found, may_be_closed=True, enabled=True), withdrawn, NOON).remedy

    assert (remedy is Remedy.CLOSE) == (not in_flight)
    assert judge_found(replace(found, may_be_closed=False), withdrawn, NOON).remedy is Remedy.REPORT
