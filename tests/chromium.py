"""The system's Chromium, which speaks to nobody but this machine."""

from __future__ import annotations

from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FIRST_START_MILLISECONDS = 240_000
"""The first start of a Chromium after its installation can take more than a minute."""
