"""Which clocks differ is told by name; answers that were long on their way do not look like a clock that is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from entra_jit.accounts.clocks import Clocks, ClocksApartError
from entra_jit.graph import Heard
from entra_jit.ledger.clock import LedgerClock

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Machine:
    """Its clock, and the seconds since it was started."""

    def __init__(self) -> None:
        self.at, self.seconds = NOW, 100.0
        self.clock = LedgerClock(lambda: self.seconds, lambda: self.at)
        self.clock.hear(NOW)
        self.clocks = Clocks(self.clock)

    def passes(self, by: timedelta) -> None:
        self.at += by
        self.seconds += by.total_seconds()

    def hears_microsoft(self, date: datetime, *, took: timedelta = SECOND) -> None:
        now = self.clock()
        self.clocks.hear_microsoft(Heard(now - took, now, date, None))


def test_clocks_that_agree_open() -> None:
    machine = Machine()
    machine.clocks.hear_temporal(NOW - 9 * SECOND)
    machine.hears_microsoft(NOW + 9 * SECOND)
    machine.clocks.expect_agreement()


@pytest.mark.parametrize("by", [-3600, -15, 15, 3600])
@pytest.mark.parametrize("whose", ["PostgreSQL", "Temporal", "Microsoft"])
def test_each_clock_is_told_by_name(whose: str, by: int) -> None:
    machine = Machine()
    match whose:
        case "PostgreSQL":
            machine.at += by * SECOND
        case "Temporal":
            machine.clocks.hear_temporal(NOW - by * SECOND)
        case "Microsoft":
            machine.hears_microsoft(NOW - by * SECOND)
    with pytest.raises(ClocksApartError, match=f"{'ahead of' if by > 0 else 'behind'} {whose}'s. Nothing"):
        machine.clocks.expect_agreement()


def test_what_was_long_on_its_way_says_little() -> None:
    """Asked an hour ago, as by a process that was stopped meanwhile: the answer was given at any time in between."""
    machine = Machine()
    machine.passes(timedelta(hours=1))
    machine.hears_microsoft(NOW, took=timedelta(hours=1))
    machine.clocks.hear_temporal(NOW)
    assert "Temporal's" in str(machine.clocks.find_apart())
    machine.clocks.hear_temporal(machine.clock())
    machine.clocks.expect_agreement()


def test_what_was_heard_long_ago_does_not_count() -> None:
    machine = Machine()
    machine.clocks.hear_temporal(NOW - timedelta(hours=1))
    machine.passes(2 * timedelta(minutes=1))
    machine.clocks.expect_agreement()
