"""What every activity works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from activities.directories import Directories
from ledger.database import Ledger
from trust.keyring import Keyring

Clock = Callable[[], datetime]
"""The one clock of activities: aware, UTC."""


def system_clock() -> datetime:
    """The clock of the machine."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Workplace:
    """The ledger, the keys, the directories and the clock of one worker."""

    ledger: Ledger
    keyring: Keyring
    directories: Directories
    installation: str
    call_timeout: timedelta
    clock: Clock = system_clock

    @property
    def lease(self) -> timedelta:
        """How long an admitted opening may be in flight: a little longer than one call to Microsoft can take."""
        return self.call_timeout + LEASE_MARGIN


LEASE_MARGIN = timedelta(seconds=5)
