"""PostgreSQL's clock between two looks at PostgreSQL, for what must not depend on the clock of this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def steady_seconds() -> float:
    """Seconds that pass also while the machine is suspended, and that no one sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class LedgerClock:
    """Aware, UTC. It may be behind PostgreSQL's by the time that a look takes, and is never ahead of it.

    Before PostgreSQL was heard it is the machine's.
    """

    def __init__(self, steady: Callable[[], float] = steady_seconds) -> None:
        self.steady = steady
        self._heard: tuple[datetime, float] | None = None

    def hear(self, at: datetime) -> None:
        """PostgreSQL has just said that it is ``at``."""
        self._heard = at, self.steady()

    def __call__(self) -> datetime:
        if self._heard is None:
            return datetime.now(UTC)
        at, since = self._heard
        return at + timedelta(seconds=self.steady() - since)
