"""Points in time, as people read them. Apart from the rest, because workflows, ledger, policy and terminal say them."""

from __future__ import annotations

import time
from datetime import datetime


def format_moment(at: datetime) -> str:
    """``2026-11-23 12:00:31Z``. ``at``: aware, UTC."""
    return f"{at:%Y-%m-%d %H:%M:%SZ}"


def steady_seconds() -> float:
    """Seconds that pass also while the machine is suspended, and that no one sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
