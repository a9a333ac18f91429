"""Retries of what passes by itself, for work that can wait. Closing never waits like this."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from entra_jit.graph.errors import TransientError

Asked = TypeVar("Asked")


FIRST_PAUSE = timedelta(milliseconds=500)
"""The first pause where Microsoft names none. Each further one is twice as long, up to ``LONGEST_PAUSE``."""

LONGEST_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True)
class RetryBudget:
    """Pauses as long as Microsoft asks, and longer after each try, but not beyond ``until`` by ``clock``."""

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
                pause = max(error.retry_after or FIRST_PAUSE, min(FIRST_PAUSE * (1 << min(tries, 16)), LONGEST_PAUSE))
                if isinstance(error, unless) or self.clock() + pause > self.until:
                    raise
            await asyncio.sleep(pause.total_seconds())
            tries += 1


async def ask_once(ask: Callable[[], Awaitable[Asked]]) -> Asked:
    """For work that cannot wait."""
    return await ask()
