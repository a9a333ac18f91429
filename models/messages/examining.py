"""What the daily examination of all tenants is told, and what it found."""

from __future__ import annotations

from datetime import timedelta

from models.message import Message
from models.messages.asking import SignedAccessRequest


class ExaminationsInput(Message):
    """The input of the examinations' workflow, for people who open it in Temporal's UI. Nothing reads it."""

    examines: str = "whether every tenant is set up for grants"
    every: timedelta


class TenantVerdict(Message):
    """What an examination came to in one tenant; ``tenant doctor`` shows the whole of it."""

    tenant: str
    failed: tuple[str, ...] = ()
    """Codes of the checks that failed."""
    warned: tuple[str, ...] = ()
    unexamined: str | None = None
    """Why the tenant was not examined; it comes first the next time."""
    canary: SignedAccessRequest | None = None
    """The request for this week's canary, where it is due."""


class ExaminationsReport(Message):
    """What one examination of all tenants came to: how many, and those that are not as they should be."""

    tenants: int = 0
    remarkable: tuple[TenantVerdict, ...] = ()
