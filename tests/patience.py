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
    """What ``look`` finds, looking again and again. Raises ``TimeoutError`` when patience is over."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (found := await look()) is None:
            await asyncio.sleep(0.05)
    return found
