"""An account that cannot be read is watched until its directory is certain that it is gone.

If it is forgotten at the first 404, it stays open when an administrator restores it from the bin.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from entra_jit.policy.reconciliation import PURGED_AFTER, TOO_NEW_TO_BE_MISSED, Missing, judge_missing

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=3)


@pytest.mark.parametrize(
    ("in_the_bin", "registered_at", "missed_since", "verdict"),
    [
        (False, NOON - TOO_NEW_TO_BE_MISSED + timedelta(seconds=1), None, Missing.TOO_NEW),
        (False, NOON - TOO_NEW_TO_BE_MISSED, None, Missing.VANISHED),
        (True, NOON, None, Missing.VANISHED),
        (True, LONG_AGO, LONG_AGO, Missing.VANISHED),
        (False, LONG_AGO, NOON - PURGED_AFTER + timedelta(seconds=1), Missing.VANISHED),
        (False, LONG_AGO, NOON - PURGED_AFTER, Missing.PURGED),
    ],
)
def test_only_what_was_long_missed_and_is_in_no_bin_is_purged(
    *, in_the_bin: bool, registered_at: datetime, missed_since: datetime | None, verdict: Missing
) -> None:
    assert (
        judge_missing(in_the_bin=in_the_bin, registered_at=registered_at, missed_since=missed_since, at=NOON) is verdict
    )
