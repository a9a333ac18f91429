"""An account that cannot be read is watched until its directory is certain that it is gone.

If it is forgotten at the first 404, it stays open when an administrator restores it from the bin.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from entra_jit.policy.missing import DOUBTED_FOR, PURGED_AFTER, Missing, judge_missing

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
JUST_NOT = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("in_the_bin", "missed_for", "verdict"),
    [
        (False, timedelta(0), Missing.DOUBTED),
        (False, DOUBTED_FOR - JUST_NOT, Missing.DOUBTED),
        (False, DOUBTED_FOR, Missing.VANISHED),
        (False, PURGED_AFTER - JUST_NOT, Missing.VANISHED),
        (False, PURGED_AFTER, Missing.PURGED),
        (True, timedelta(0), Missing.DELETED),
        (True, timedelta(days=3), Missing.DELETED),
    ],
)
def test_only_what_was_long_missed_and_is_in_no_bin_is_gone(
    *, in_the_bin: bool, missed_for: timedelta, verdict: Missing
) -> None:
    assert judge_missing(in_the_bin=in_the_bin, missed_since=NOON - missed_for, at=NOON) is verdict
