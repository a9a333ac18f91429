"""Signs of life of what closes access, so that a step which died with its worker is done again within seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from entra_jit.accounts.account_closing import Stripped
from entra_jit.accounts.finding import MissedSince
from entra_jit.accounts.sweeping import Swept
from models.messages import ClosingStep, Step

BEATS_PER_TIMEOUT = 3

NOTHING: tuple[Any, ...] = ((), (), None, (), None, None)
"""What the first try is told."""

SWEPT: TypeAdapter[Swept | None] = TypeAdapter(Swept | None)


@dataclass
class Noted:
    """What a step that closes has found out over all its tries: the next one does not find it any more."""

    stripped: Stripped
    missed: MissedSince
    steps: dict[str, Step] = field(default_factory=dict)
    """What is done and need not be done again, by its name."""
    swept: Swept | None = None
    """What was found once the account was closed; None: it was not looked at yet."""
    changed: str | None = None
    """How the account was changed from outside, also where that is undone since: it says why the closing took long."""

    @classmethod
    def earlier(cls, details: Sequence[Any]) -> Noted:
        """What an earlier try has noted in its heartbeats, as ``details`` gives it."""
        removed, found, since, steps, swept, changed = [*details, *NOTHING[len(details) :]]
        done = map(Step.model_validate, steps)
        return cls(
            Stripped.noted((removed, found)),
            MissedSince(datetime.fromisoformat(since) if since else None),
            {step.name: step for step in done},
            SWEPT.validate_python(swept),
            changed,
        )

    @property
    def details(self) -> tuple[Any, ...]:
        """To be noted, as ``earlier`` reads it."""
        since = self.missed.at.isoformat() if self.missed.at else None
        steps = [step.model_dump(mode="json") for step in self.steps.values()]
        return *self.stripped.to_note(), since, steps, SWEPT.dump_python(self.swept, mode="json"), self.changed

    def keep(self, step: Step) -> None:
        """It is done, for the next try as well."""
        self.steps[step.name] = step
        activity.heartbeat(*self.details)

    def has(self, step: ClosingStep) -> bool:
        """Whether it is done."""
        return step in self.steps


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
