"""What the open-until mark on a managed account says, and which of several marks decides.

The mark stands in two places: in the directory, where the customer's administrators can change it, and in the ledger,
which a backup can set back. Each copy is signed, so the newer of two valid ones tells what happened last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.messages.ids import TechnicianId


class AccountKind(StrEnum):
    """What a managed account is for. Part of every signature: a mark of one kind never holds for another."""

    TECHNICIAN = "technician"
    CANARY = "canary"
    """The doctor's: opened now and then to see that opening and closing work. No person uses it."""

    @classmethod
    def of(cls, technician_id: TechnicianId) -> AccountKind:
        """What the account of this one is for. The canary stands among the technicians under an id of its own."""
        return cls.CANARY if technician_id == CANARY_ID else cls.TECHNICIAN


CANARY_ID = TechnicianId("ca4a4100-0000-4000-8000-0000ca4a4100")
CANARY_NAME = "entra-jit-canary"
"""What the canary is called among the technicians. No technician of the MSP may have the name or the id."""


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
