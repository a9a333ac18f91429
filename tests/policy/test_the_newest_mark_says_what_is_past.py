"""Without the ledger, the closer disables only what the newest mark says is past.

A grant that was extended in the minutes since the ledger could last be read must stay open; one whose mark its
administrator has taken away must not.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from entra_jit.ledger.clock import LedgerClock
from entra_jit.policy.punctuality import is_past
from models.marks import OpenUntil

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ARMED = OpenUntil("r-1", NOW, NOW - 60 * MINUTE)
EXTENDED = OpenUntil("r-1", NOW + 60 * MINUTE, NOW - MINUTE)
ANOTHERS = OpenUntil("r-2", NOW + 60 * MINUTE, NOW - MINUTE)
LATER_AND_OLDER = OpenUntil("r-0", NOW + 60 * MINUTE, NOW - 120 * MINUTE)


@pytest.mark.parametrize(
    ("in_directory", "expires_at", "past"),
    [
        (ARMED, NOW, True),
        (ARMED, NOW + MINUTE, True),  # the row was changed: no mark covers it
        (EXTENDED, NOW, False),
        (ANOTHERS, NOW, False),
        (LATER_AND_OLDER, NOW, True),  # an administrator has put an old one back
        (None, NOW, True),
        (None, NOW + MINUTE, True),
    ],
)
def test_the_newest_of_both_marks_decides(in_directory: OpenUntil | None, expires_at: datetime, *, past: bool) -> None:
    assert is_past(ARMED, in_directory, expires_at, NOW) is past


def test_an_account_that_never_had_a_mark_is_judged_by_the_expiry() -> None:
    assert is_past(None, None, NOW, NOW)
    assert not is_past(None, None, NOW + MINUTE, NOW)


def test_the_clock_of_this_machine_does_not_count_once_postgresql_was_heard() -> None:
    """It may be half an hour ahead, be set while PostgreSQL is away, or stand still with its machine."""
    seconds, machine = 100.0, NOW + 30 * MINUTE
    clock = LedgerClock(lambda: seconds, lambda: machine)
    assert clock() == machine
    clock.hear(NOW)
    assert clock.machine_is_ahead == 30 * MINUTE
    seconds += 60
    machine = NOW
    assert clock() == NOW + MINUTE
    assert clock.machine_is_ahead == -MINUTE
    assert clock.is_stale
