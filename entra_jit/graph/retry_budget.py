"""Retries of what passes by itself, for work that can wait. Closing never waits like this."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from entra_jit.graph.errors import TransientError

Asked = TypeVar("Asked")


FIRST = timedelta(milliseconds=500)
"""The first wait where Microsoft names none. Each further one is twice as long, up to ``LONGEST``."""

LONGEST = timedelta(minutes=1)


@dataclass(frozen=True)
class RetryBudget:
    """Waits as long as Microsoft asks, and longer and longer, but not beyond ``until`` by ``clock``."""

    until: datetime
    clock: Callable[[], datetime]

    async def ask(self, ask: Callable[[], Awaitable[Asked]], *, unless: tuple[type[TransientError], ...] = ()) -> Asked:
        """What ``ask`` gives, once it is answered.

        Raises ``TransientError`` where that would take too long, and at once where it is one of ``unless``.
        """
        tries = 0
        while True:
            try:
                return await ask()
            except TransientError as error:
                pause = max(error.retry_after or FIRST, min(FIRST * (1 << min(tries, 16)), LONGEST))
                if isinstance(error, unless) or self.clock() + pause > self.until:
                    raise
            await asyncio.sleep(pause.total_seconds())
            tries += 1


async def ask_once(ask: Callable[[], Awaitable[Asked]]) -> Asked:
    """For work that cannot wait."""
    return await ask()
