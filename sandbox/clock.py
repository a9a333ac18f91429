"""The one clock of a sandbox: everything that expires, is dated or is late asks it and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """UTC with microseconds, as the machine has it plus an offset that tests may move."""

    def __init__(self) -> None:
        self._offset = timedelta()

    def now(self) -> datetime:
        """The sandbox's present, timezone-aware in UTC."""
        return datetime.now(UTC) + self._offset

    def advance(self, by: timedelta) -> None:
        """Move the sandbox's present; running waits are not woken."""
        self._offset += by

    def set(self, moment: datetime) -> None:
        """Make this the present; from here it goes on as the machine's time does."""
        self._offset = moment - datetime.now(UTC)

    def reset(self) -> None:
        """Back to the machine's time."""
        self._offset = timedelta()


def seconds(moment: datetime) -> str:
    """``2026-01-31T12:00:00Z``: how the directory writes most times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ticks(moment: datetime) -> str:
    """``2026-01-31T12:00:00.1234560Z``: seven digits, as newer workloads write times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
