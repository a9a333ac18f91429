"""Until when a lease of an opening counts. The ledger's row is not signed, so a writer to PostgreSQL can move it."""

from __future__ import annotations

from datetime import datetime, timedelta

from entra_jit.policy.durations import CLOCKS_DIFFER_BY

LEASE_MARGIN = timedelta(seconds=5)

LONGEST_LEASE = timedelta(seconds=60) + LEASE_MARGIN + CLOCKS_DIFFER_BY
"""The longest call to Microsoft that the settings allow, the margin, and what two clocks may differ by."""


def lease_end(lease_until: datetime | None, fenced_at: datetime | None, at: datetime) -> datetime | None:
    """When what the lease let pass is no longer in flight; None: nothing is.

    No lease is taken after the fence, nor one that is longer than ``LONGEST_LEASE``. Before the fence a later end
    counts for nothing: it would keep the account from being judged for ever.
    """
    if lease_until is None:
        return None
    if fenced_at is not None:
        return min(lease_until, min(fenced_at, at) + LONGEST_LEASE)
    return lease_until if lease_until <= at + LONGEST_LEASE else None
