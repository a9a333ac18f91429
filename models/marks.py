"""What the open-until mark on a managed account says, and which of several marks decides.

The mark stands in two places: in the directory, where the customer's administrators can change it, and in the ledger,
which a backup can set back. Each copy is signed, so the newer of two valid ones tells what happened last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.messages.ids import TechnicianId


class AccountKind(StrEnum):
    """What a managed account is for. Part of every signature: a mark of one kind never holds for another."""

    TECHNICIAN = "technician"
    CANARY = "canary"
    """The doctor's: opened now and then to see that opening and closing work. No person uses it."""
    EMERGENCY = "emergency"
    """Always open, for the day when nothing else is. Its own workflow alone touches it."""

    @classmethod
    def of(cls, technician_id: TechnicianId) -> AccountKind:
        """What the account of this one is for. What is no person stands among the technicians under ids of its own."""
        if technician_id in EMERGENCY_NAMES:
            return cls.EMERGENCY
        return cls.CANARY if technician_id == CANARY_ID else cls.TECHNICIAN


CANARY_ID = TechnicianId("ca4a4100-0000-4000-8000-0000ca4a4100")
CANARY_NAME = "entra-jit-canary"
"""What the canary is called among the technicians. No technician of the MSP may have the name or the id."""

MOST_EMERGENCY_ACCOUNTS = 2
"""In one tenant."""


def emergency_id(number: int) -> TechnicianId:
    """Under which id a tenant's first or second emergency account stands in the register."""
    return TechnicianId(f"e3e46e0c-0000-4000-8000-{number:012}")


EMERGENCY_NAMES: Mapping[TechnicianId, str] = {
    emergency_id(number): f"entra-jit-emergency-{number}" for number in range(1, MOST_EMERGENCY_ACCOUNTS + 1)
}
"""What the emergency accounts are called, by their ids. No technician of the MSP may have such a name or id."""

RESERVED_NAMES: Mapping[TechnicianId, str] = {CANARY_ID: CANARY_NAME, **EMERGENCY_NAMES}
"""The technicians that are no persons. No configuration has them, and none takes them away."""


@dataclass(frozen=True)
class OpenUntil:
    """Which grant opened the account, until when, and when this was written."""

    request_id: str
    expires_at: datetime
    """UTC."""
    written_at: datetime
    """UTC, by PostgreSQL's clock: the one clock that orders all marks of an account."""


def newest(*marks: OpenUntil | None) -> OpenUntil | None:
    """The mark that decides; of two that were written at the same instant, the first. None where there is none."""
    return max((mark for mark in marks if mark is not None), key=lambda mark: mark.written_at, default=None)
