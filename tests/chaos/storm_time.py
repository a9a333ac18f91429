"""The storm's own time: it passes slowly while nothing works, so that a slow machine gets a storm and not a standstill.

By the wall's clock the whole crowd would come to a closed door wherever a worker takes long to start, and every trouble
of a tenant would be over before the first call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

SPEED_WHILE_NOTHING_WORKS = 0.25
TICK_SECONDS = 0.2


class StormTime:
    """Seconds since the storm's beginning."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._since = asyncio.get_running_loop().time()
        self._standing_still = 0

    @property
    def seconds(self) -> float:
        """How much of the storm has passed."""
        self._count()
        return self._seconds

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """While a part is away without which nothing is done."""
        self._count()
        self._standing_still += 1
        try:
            yield
        finally:
            self._count()
            self._standing_still -= 1

    async def until(self, seconds: float) -> None:
        """Wait for that time of the storm; it may have passed."""
        while self.seconds < seconds:
            await asyncio.sleep(min(TICK_SECONDS, seconds - self._seconds))

    async def sleep(self, seconds: float) -> None:
        """Wait for so much of the storm."""
        await self.until(self.seconds + seconds)

    def _count(self) -> None:
        now = asyncio.get_running_loop().time()
        self._seconds += (now - self._since) * (SPEED_WHILE_NOTHING_WORKS if self._standing_still else 1)
        self._since = now
