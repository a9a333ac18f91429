"""What people look for in long lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class OpenState(StrEnum):
    """Where a grant stands that is not proven closed."""

    OVERDUE = "overdue"
    """It should have been closed for a minute or more, whatever its state."""
    OPEN = "open"
    PREPARING = "preparing"
    PARKED = "parked"
    CLOSING = "closing"


@dataclass(frozen=True)
class OpenGrants:
    """Which of the grants that are not proven closed; all where nothing is said."""

    tenant: str | None = None
    technician: str | None = None
    state: OpenState | None = None
    ticket: str | None = None
    """The whole of it, in capitals or not."""


@dataclass(frozen=True)
class Receipts:
    """Which receipts; all where nothing is said."""

    tenant: str | None = None
    technician: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    ticket: str | None = None
    """The whole of it, in capitals or not."""
    late_or_unproven: bool = False
    """Only those."""
