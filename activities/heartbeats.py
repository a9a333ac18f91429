"""Signs of life of what closes access, so that a step which died with its worker is done again within seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from entra_jit.accounts.account_closing import Stripped

BEATS_PER_TIMEOUT = 3


@contextmanager
def stripping() -> Iterator[Stripped]:
    """What was taken from an account over all tries of this activity: the next one does not find it any more."""
    stripped = Stripped.noted(activity.info().heartbeat_details)
    try:
        yield stripped
    finally:
        activity.heartbeat(*stripped.to_note())


class HeartbeatInterceptor(Interceptor):
    """Sends heartbeats for as long as an activity runs that has a heartbeat timeout.

    Heartbeats also bring cancellations, which is why only closing has them: what widens access finishes what it began.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Temporal's hook."""
        return _Beating(next)


class _Beating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        timeout = activity.info().heartbeat_timeout
        if not timeout:
            return await super().execute_activity(input)
        beating = asyncio.create_task(_beat(timeout / BEATS_PER_TIMEOUT))
        try:
            return await super().execute_activity(input)
        finally:
            beating.cancel()


async def _beat(every: timedelta) -> None:
    # What an earlier try has noted in its own last one is passed on: this try may die before it notes anything.
    noted = activity.info().heartbeat_details
    while True:
        activity.heartbeat(*noted)
        await asyncio.sleep(every.total_seconds())
