"""The course of one grant: who has it, how long it may go on, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from activities.options import PROVISIONING
from models.actor import Actor
from models.messages import Ending, FailureType, Grant, GrantRef, GrantState
from workflows.perform import Result, perform


@dataclass
class Course:
    """How far a grant has come."""

    grant: Grant | None = None
    """None: not allowed, or not yet."""
    attempt: int = 1
    expires_at: datetime | None = None
    """Fixed before its account is opened; an extension moves it."""
    ending: Ending | None = None

    @property
    def ref(self) -> GrantRef:
        """By which activities look up in the ledger what was decided."""
        assert self.grant is not None  # noqa: S101  # only what was allowed is provisioned
        return GrantRef(request_id=self.grant.request_id, attempt=self.attempt)

    @property
    def is_over(self) -> bool:
        """Ended, or cancelled in Temporal."""
        return self.ending is not None or workflow.cancellation_reason() is not None

    def end(self, state: GrantState, by: Actor, reason: str | None = None, failure: FailureType | None = None) -> None:
        """The first ending counts."""
        if self.ending is None:
            self.ending = Ending(state=state, by=by, reason=reason, failure=failure)

    def time_left(self) -> timedelta:
        """Until the window closes or, once armed, the grant expires: the server itself ends what takes longer."""
        assert self.grant is not None  # noqa: S101  # only what was allowed is provisioned
        until = min(self.grant.window_ends_at, self.expires_at or self.grant.window_ends_at)
        return max(until - workflow.now(), timedelta(milliseconds=1))

    async def step(self, activity: Callable[[Any, GrantRef], Awaitable[Result]], summary: str) -> Result:
        """One step towards the opening, in the time that is left; none once the grant is over."""
        self.stop_if_over()
        done = await self.step_to_keep(activity, summary)
        self.stop_if_over()
        return done

    async def step_to_keep(self, activity: Callable[[Any, GrantRef], Awaitable[Result]], summary: str) -> Result:
        """The same, whose answer must be known also if the grant is over by then."""
        return await perform(activity, self.ref, PROVISIONING, summary=summary, within=self.time_left())

    def stop_if_over(self) -> None:
        """An activity whose answer is there already keeps it to itself that its task was cancelled, so we look."""
        if self.is_over:
            raise asyncio.CancelledError
