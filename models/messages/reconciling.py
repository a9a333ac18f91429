"""What a reconciliation is told, and what it found and did."""

from __future__ import annotations

from datetime import timedelta

from models.message import Message
from models.messages.ids import TenantId


class TenantToReconcile(Message):
    """A tenant that may hold accounts of ours."""

    id: TenantId
    name: str


class ReconciliationInput(Message):
    """The input of a reconciliation's workflow, for people who open it in Temporal's UI. Nothing reads it."""

    closes: str = "every managed account that is open without a live grant"
    every: timedelta


class TenantReport(Message):
    """What a reconciliation found and did in one tenant. Each finding is a sentence that names the account."""

    tenant: str
    looked_at: int = 0
    closed: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()
    failed: str | None = None
    """Why the tenant could not be reconciled, or not whole; it is tried again next time."""
    reviewed: int = 0
    """Grants whose audit was read on the way, where that is done together."""
    unreviewed: str | None = None
    """Why not all that are due."""


class TenantReview(Message):
    """How far the audit of one tenant was read for the grants that have ended there."""

    tenant: str
    reviewed: int = 0
    """Addenda that were written."""
    failed: str | None = None
    """Why not all were; it is tried again next time."""


class ReconciliationReport(Message):
    """What one reconciliation over all tenants did: totals, and the tenants in which there was anything to say."""

    tenants: int = 0
    accounts: int = 0
    closed: int = 0
    failed: int = 0
    remarkable: tuple[TenantReport, ...] = ()


class ReviewsInput(Message):
    """The input of the reviews' workflow, as ``ReconciliationInput`` is that of a reconciliation's."""

    reads: str = "the audit logs, for every grant that has ended"
    every: timedelta


class ReviewsReport(Message):
    """What one run of the reviews over all tenants did."""

    tenants: int = 0
    """In which anything was due."""
    reviewed: int = 0
    """Addenda that were written."""
    unreviewed: tuple[TenantReview, ...] = ()
    """Tenants whose audit could not be read, or not whole."""
