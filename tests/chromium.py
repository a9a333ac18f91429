"""The system's Chromium, which speaks to nobody but this machine."""

from __future__ import annotations

from pathlib import Path

from tests.patience import PATIENCE_SECONDS

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
PATIENCE_MILLISECONDS = 1000 * PATIENCE_SECONDS
"""How long a page may take to show what it is waited for. The first start of a Chromium takes more than a minute."""
