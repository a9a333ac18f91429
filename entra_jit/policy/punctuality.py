"""When the closer acts, and when it leaves a grant to others."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.marks import OpenUntil, newest

AHEAD = timedelta(seconds=2)
"""How long before an expiry its tenant is signed in to."""

ASKED_AGAIN_AFTER = timedelta(seconds=2)
"""How old the ledger's word may be when an account is disabled. A process that was frozen asks again: the account may
be open under another grant by now."""

FIRST_SEEN_WITHIN = timedelta(minutes=1)
"""How overdue a grant may be when it is first seen. What is older may come from a ledger that was restored from a
backup; the reconciler judges it, which reads the marks."""

GIVEN_UP_AFTER = timedelta(minutes=10)
"""How long after its expiry the closer tries. The workflow and the reconciler go on."""


def is_past(written: OpenUntil | None, in_directory: OpenUntil | None, expires_at: datetime, at: datetime) -> bool:
    """Whether a grant that expired at ``expires_at``, when the ledger could last be read, is over at ``at``.

    For the closer without a ledger. ``written``: the mark that the ledger had; ``in_directory``: the account's. The
    newer one decides: the grant was extended since, or the account is open under another grant. An account without a
    valid mark is judged by what the ledger said.
    """
    deciding = newest(written, in_directory)
    if deciding is None:
        return at >= expires_at
    # An expiry in the ledger counts as far as its mark covers it.
    return at >= (min(expires_at, deciding.expires_at) if deciding == written else deciding.expires_at)
