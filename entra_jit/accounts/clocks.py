"""Whether the clocks agree that a process reads: its machine's, PostgreSQL's, Temporal's and Microsoft's.

Expiries go by PostgreSQL's and end by Temporal's; passes and tokens end by Microsoft's. Where one of them is wrong,
something lasts longer than it is said to, so nothing is opened then. What closes goes on.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from entra_jit.ledger.clock import LedgerClock
from entra_jit.policy.durations import CLOCKS_DIFFER_BY, format_duration
from models.alarms import Alarm, AlarmKind
from models.errors import UnreachableError

if TYPE_CHECKING:
    from entra_jit.graph import Heard

LATELY_SECONDS = 60.0
WHOLE_SECOND = timedelta(seconds=1)

MOST_SAMPLES = 100


class ClocksApartError(UnreachableError):
    """The clocks of this process do not agree, so it opens nothing. Another process may."""

    advice = "Set the clock of that machine right."


class _Samples:
    """How far PostgreSQL's clock was ahead of another one, lately.

    An answer that was long on its way, or a process that was stopped meanwhile, looks like a clock that is wrong: the
    smallest difference counts.
    """

    def __init__(self) -> None:
        self._kept: deque[tuple[float, timedelta]] = deque(maxlen=MOST_SAMPLES)

    def add(self, at: float, ahead: timedelta) -> None:
        self._kept.append((at, ahead))

    def smallest(self, at: float) -> timedelta | None:
        lately = [ahead for heard, ahead in self._kept if at - heard <= LATELY_SECONDS]
        return min(lately, key=abs, default=None)


class Clocks:
    """Compares a process's clocks. One that a test sets is compared with none."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock if isinstance(clock, LedgerClock) else None
        self._temporal, self._microsoft = _Samples(), _Samples()
        self.machine = socket.gethostname()

    def hear_temporal(self, said: datetime) -> None:
        """Temporal has just said that it is ``said``."""
        if self._clock is not None:
            self._temporal.add(self._clock.steady(), self._clock() - said)

    def hear_microsoft(self, heard: Heard) -> None:
        """Microsoft has said its time, in whole seconds, between asking and answer."""
        if self._clock is None or heard.date is None:
            return
        least, most = heard.began_at - heard.date - WHOLE_SECOND, heard.at - heard.date
        ahead = least if least > timedelta(0) else min(most, timedelta(0))
        self._microsoft.add(self._clock.steady(), ahead)

    def find_apart(self) -> str | None:
        """Which clocks are apart and by how much, in a sentence; None: none that was heard lately."""
        if self._clock is None or (machine := self._clock.machine_is_ahead) is None:
            return None
        now = self._clock.steady()
        others = {
            "PostgreSQL's": machine,
            **{
                name: machine + ahead
                for name, samples in (("Temporal's", self._temporal), ("Microsoft's", self._microsoft))
                if (ahead := samples.smallest(now)) is not None
            },
        }
        told = [f"{_how_far(ahead)} {name}" for name, ahead in others.items() if abs(ahead) > CLOCKS_DIFFER_BY]
        return f"The clock of {self.machine} is {' and '.join(told)}. Nothing is opened there." if told else None

    def expect_agreement(self) -> None:
        """Raises ``ClocksApartError``."""
        if sentence := self.find_apart():
            raise ClocksApartError(sentence)

    def alarm(self, at: datetime) -> Alarm | None:
        """The alarm that the clocks are apart; None: they agree. It is not raised by this."""
        sentence = self.find_apart()
        if sentence is None:
            return None
        return Alarm(kind=AlarmKind.CLOCK_APART, subject=self.machine, sentence=sentence, raised_at=at)


def _how_far(ahead: timedelta) -> str:
    return f"{format_duration(abs(ahead))} {'ahead of' if ahead > timedelta(0) else 'behind'}"
