"""Retries of throttled reads, for work that can wait. Closing never waits like this."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from entra_jit.graph.errors import TransientError

Asked = TypeVar("Asked")


@dataclass(frozen=True)
class RetryBudget:
    """Waits as long as Microsoft asks, but not beyond ``until`` by ``clock``."""

    until: datetime
    clock: Callable[[], datetime]

    async def ask(self, ask: Callable[[], Awaitable[Asked]]) -> Asked:
        """What ``ask`` gives, once it is answered. Raises ``TransientError`` where that would take too long."""
        while True:
            try:
                return await ask()
            except TransientError as error:
                if error.retry_after is None or self.clock() + error.retry_after > self.until:
                    raise
                await asyncio.sleep(error.retry_after.total_seconds())


async def ask_once(ask: Callable[[], Awaitable[Asked]]) -> Asked:
    """For work that cannot wait."""
    return await ask()
