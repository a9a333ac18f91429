"""Signs of life of what closes access, so that a step which died with its worker is done again within seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from entra_jit.accounts.account_closing import Stripped
from entra_jit.accounts.finding import MissedSince

BEATS_PER_TIMEOUT = 3


@dataclass(frozen=True)
class Noted:
    """What a step that closes has found out over all its tries: the next one does not find it any more."""

    stripped: Stripped
    missed: MissedSince

    @classmethod
    def earlier(cls, details: Sequence[Any]) -> Noted:
        """What an earlier try has noted in its heartbeats, as ``details`` gives it."""
        *stripped, since = details or ((), (), None)
        return cls(Stripped.noted(stripped), MissedSince(datetime.fromisoformat(since) if since else None))

    @property
    def details(self) -> tuple[Any, ...]:
        """To be noted, as ``earlier`` reads it."""
        return *self.stripped.to_note(), self.missed.at.isoformat() if self.missed.at else None


@dataclass
class _Pulse:
    """What the heartbeats of one try tell."""

    noted: Noted | None = None

    @property
    def details(self) -> Sequence[Any]:
        """What is known now; at first what an earlier try has noted, for this one may die before it notes anything."""
        return self.noted.details if self.noted else activity.info().heartbeat_details


_pulse: ContextVar[_Pulse] = ContextVar("pulse")


@contextmanager
def noting() -> Iterator[Noted]:
    """What all tries of this activity have found out; what this one adds is noted for the next."""
    noted = Noted.earlier(activity.info().heartbeat_details)
    if pulse := _pulse.get(None):
        pulse.noted = noted
    try:
        yield noted
    finally:
        activity.heartbeat(*noted.details)


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
        pulse = _Pulse()
        _pulse.set(pulse)
        beating = asyncio.create_task(_beat(pulse, timeout / BEATS_PER_TIMEOUT))
        try:
            return await super().execute_activity(input)
        finally:
            beating.cancel()


async def _beat(pulse: _Pulse, every: timedelta) -> None:
    while True:
        activity.heartbeat(*pulse.details)
        await asyncio.sleep(every.total_seconds())
