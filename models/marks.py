"""What the open-until mark on a managed account says, and which of several marks decides.

The mark stands in two places: in the directory, where the customer's administrators can change it, and in the ledger,
which a backup can set back. Each copy is signed, so the newer of two valid ones tells what happened last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AccountKind(StrEnum):
    """What a managed account is for. Part of every signature: a mark of one kind never holds for another."""

    TECHNICIAN = "technician"


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
