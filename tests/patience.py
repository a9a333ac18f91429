"""How long tests wait: for a condition, never for a time. A busy machine makes them slow and lets none of them fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")

PATIENCE_SECONDS = 240
"""How long a test waits for what has to happen: more than any busy machine needs, for only a failure takes so long."""

HELD_SECONDS = 600
"""How long a request is held up that nobody lets go on: longer than any test waits."""


async def eventually(look: Callable[[], Awaitable[Found | None]]) -> Found:
    """What ``look`` finds, looking again and again. Raises ``TimeoutError`` when patience is over.

    Less and less often: twenty looks a second at the ledger took a quarter of a core from what they waited for.
    """
    pause = 0.05
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (found := await look()) is None:
            await asyncio.sleep(pause)
            pause = min(1.3 * pause, 0.25)
    return found
