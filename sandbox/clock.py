"""The one clock of a sandbox: everything that expires, is dated or is late asks it and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """UTC with microseconds: the machine's time plus an offset that tests may move, or standing until it is moved."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._stands_at: datetime | None = None

    def now(self) -> datetime:
        """The sandbox's present, timezone-aware in UTC."""
        return (self._stands_at or datetime.now(UTC)) + self._offset

    def stand(self) -> None:
        """Let no time pass but what ``advance`` and ``set`` make pass. Idempotent."""
        self._stands_at = self._stands_at or datetime.now(UTC)

    def advance(self, by: timedelta) -> None:
        """Move the sandbox's present; running waits are not woken."""
        self._offset += by

    def set(self, moment: datetime) -> None:
        """Make this the present; from here it goes on as before."""
        self._offset += moment - self.now()

    def reset(self) -> None:
        """Back to the machine's time."""
        self._offset, self._stands_at = timedelta(), None


def seconds(moment: datetime) -> str:
    """``2026-01-31T12:00:00Z``: how the directory writes most times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ticks(moment: datetime) -> str:
    """``2026-01-31T12:00:00.1234560Z``: seven digits, as newer workloads write times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
