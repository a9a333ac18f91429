"""When the directory's audit is read for a grant, and for which part of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.messages import AddendumKind

AUDIT_CATCHES_UP_WITHIN = timedelta(minutes=30)
"""How late entries may be. Reports say five to fifteen minutes; Microsoft promises nothing."""

TOKENS_LIVE_FOR = timedelta(minutes=90)
"""Lifetime of an access token issued just before the closing, in services without continuous access evaluation."""

AUDIT_IS_KEPT_FOR = timedelta(days=7)
"""By every tenant; those with a premium licence keep it for thirty days."""

FORGOTTEN_AFTER = timedelta(days=30)
"""Receipts that are older say nothing of the audit, and are not looked at any more."""

CLOCKS_DIFFER_BY = timedelta(minutes=1)


@dataclass(frozen=True)
class Span:
    """A part of the audit that is read for each grant, and the addendum that tells of it."""

    kind: AddendumKind
    due_after: timedelta
    """After the closing."""

    def window(
        self, opened_at: datetime, closed_at: datetime, next_opened_at: datetime | None
    ) -> tuple[datetime, datetime]:
        """From when until when, both included. The account's next grant answers for itself."""
        if self.kind is AddendumKind.AUDIT_REVIEW:
            return opened_at - CLOCKS_DIFFER_BY, closed_at
        until = closed_at + TOKENS_LIVE_FOR
        if next_opened_at is not None:
            until = max(closed_at, min(until, next_opened_at - CLOCKS_DIFFER_BY))
        return closed_at, until


SPANS = (
    Span(AddendumKind.AUDIT_REVIEW, AUDIT_CATCHES_UP_WITHIN),
    Span(AddendumKind.AFTERMATH, TOKENS_LIVE_FOR + AUDIT_CATCHES_UP_WITHIN),
)
"""What was done while the grant was open is told soon; what its last tokens did, once they are dead."""
