"""Closing the account of a grant: fence, disable, strip, read back; without end until the directory agrees.

It needs what the workflow carries and nothing else, and raises alarms on a clock for as long as it has not succeeded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from temporalio import workflow
from temporalio.workflow import ActivityConfig

from activities.options import CLOSING, DISABLING
from activities.signatures import Closing
from entra_jit.policy.durations import format_duration
from models.alarms import AlarmKind
from models.messages import AccountToClose, Closed, ClosingStep, Grant, ObjectId, PassId, Step
from workflows.perform import Argument, Result, execute_until_done
from workflows.sweeping import Sweeping
from workflows.telling import Telling

ALARMED_AGAIN_EVERY = timedelta(hours=1)
"""Once a grant's own alarm clock has run out."""


@dataclass
class Traces:
    """What a grant has brought about in the directory, as far as its closing must know."""

    written: bool = False
    """Anything may have been written there."""
    object_id: ObjectId | None = None
    roles_asked_for: bool = False
    roles_given_at: datetime | None = None
    pass_id: PassId | None = None
    mark: str | None = None
    """The signed open-until mark, once the grant is armed."""

    def account(self, grant: Grant) -> AccountToClose:
        """Whom to close. Roles whose step was stopped half-way may have been given until this very moment."""
        roles_given_at = self.roles_given_at or (workflow.now() if self.roles_asked_for else None)
        return AccountToClose(
            grant=grant,
            object_id=self.object_id,
            roles_given_at=roles_given_at,
            pass_id=self.pass_id,
            mark=self.mark,
        )

    def are_gone(self) -> None:
        """What is proven gone need not be waited for when a parked grant is closed once more."""
        self.roles_asked_for, self.roles_given_at, self.pass_id = False, None, None


class AccountClosing:
    """Closes the account of one grant, as often as that takes, and keeps what was done."""

    def __init__(self, traces: Traces, sweeping: Sweeping, telling: Telling) -> None:
        self._traces = traces
        self._sweeping = sweeping
        self._telling = telling
        self._proof: Closed | None = None
        self._alarmed: set[str] = set()
        self.disabled_at: datetime | None = None
        self.steps: list[Step] = []

    def begin_anew(self) -> None:
        """A parked grant is taken up again: the next closing is that of another attempt."""
        self.disabled_at = None
        self.steps.clear()

    async def close(self, grant: Grant) -> Closed:
        """Close the account, prove it, and alarm on a clock for as long as that has not succeeded."""
        closing = asyncio.create_task(self._close_and_prove(grant))
        began = workflow.now()
        for patience in _alarm_clock(grant):
            try:
                await workflow.wait_condition(
                    closing.done,
                    timeout=began + patience - workflow.now(),
                    timeout_summary=f"An alarm, if it takes longer than {format_duration(patience)}",
                )
                break
            except TimeoutError:
                self._telling.alarm(grant, AlarmKind.CLOSING_LATE, self._what_is_late(grant, patience))
        return await closing

    def _what_is_late(self, grant: Grant, patience: timedelta) -> str:
        if self._proof:
            return f"{grant.account_name} is closed, but after {format_duration(patience)} the ledger cannot record it."
        return f"{grant.account_name} is not proven closed after {format_duration(patience)}."

    async def _close_and_prove(self, grant: Grant) -> Closed:
        self._proof = None
        account = self._traces.account(grant)
        # The ledger may be down: the fence is tried for as long as it takes, and nobody waits for it to disable.
        fencing = asyncio.create_task(
            self._do(grant, Closing.fence, grant.request_id, CLOSING, "No opening from here on")
        )
        disabled, stripped = await asyncio.gather(
            self._do(grant, Closing.disable_account, account, DISABLING, f"Disable {grant.account_name}"),
            self._do(grant, Closing.strip_account, account, CLOSING, "Password, sessions, sign-in methods, access"),
        )
        self._keep(grant, disabled)
        self._keep(grant, stripped)
        self._proof = proof = await self._read_back(grant, account)
        fence = await fencing
        if fence.lease_until and proof.steps[-1].at < fence.lease_until:
            # An opening that was admitted before the fence may still be on its way to Microsoft.
            await workflow.sleep(max(fence.lease_until - workflow.now(), timedelta(0)), summary="An opening's lease")
            proof = await self._read_back(grant, account)
        self._keep(grant, proof)
        self._traces.are_gone()
        return proof

    async def _read_back(self, grant: Grant, account: AccountToClose) -> Closed:
        return await self._do(grant, Closing.read_back, account, CLOSING, "Is it closed, says the directory?")

    async def _do(
        self,
        grant: Grant,
        activity: Callable[[Any, Argument], Awaitable[Result]],
        argument: Argument,
        how: ActivityConfig,
        summary: str,
    ) -> Result:
        told = partial(self._telling.alarm, grant, AlarmKind.CLOSING_LATE)
        return await execute_until_done(activity, argument, how, summary=summary, told=told)

    def _keep(self, grant: Grant, closed: Closed) -> None:
        self.steps.extend(closed.steps)
        self._sweeping.keep(closed)
        for step in closed.steps:
            if step.name == ClosingStep.DISABLED and self.disabled_at is None:
                self.disabled_at = step.at
        if closed.alarm and closed.alarm not in self._alarmed:  # every step says the same of a vanished account
            self._alarmed.add(closed.alarm)
            self._telling.alarm(grant, closed.alarm_kind, closed.alarm)


def _alarm_clock(grant: Grant) -> Iterator[timedelta]:
    yield from grant.alarm_after
    yield from (grant.alarm_after[-1] + hours * ALARMED_AGAIN_EVERY for hours in count(1))
