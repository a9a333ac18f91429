"""Points in time, as people read them. Apart from the rest, because workflows, ledger, policy and terminal say them."""

from __future__ import annotations

from datetime import datetime


def format_moment(at: datetime) -> str:
    """``2026-11-23 12:00:31Z``. ``at``: aware, UTC."""
    return f"{at:%Y-%m-%d %H:%M:%SZ}"
