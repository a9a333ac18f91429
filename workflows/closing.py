"""Closing the account of a grant: fence, disable, strip, read back; without end until the directory agrees.

It needs what the workflow carries and nothing else, and raises alarms on a clock for as long as it has not succeeded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import chain, count, pairwise
from typing import Any

from temporalio import workflow
from temporalio.workflow import ActivityConfig

from activities.options import CLOSING, CLOSING_THE_ACCOUNT
from activities.signatures import Closing
from entra_jit.policy.durations import format_duration
from models.alarms import AlarmKind
from models.grant_progress import GrantProgress
from models.messages import AccountToClose, Closed, Ending, Grant, Settlement
from workflows.alerts import GrantAlerts
from workflows.execution import Argument, Result, execute_until_done

ALARMED_AGAIN_EVERY = timedelta(hours=1)
"""Once a grant's own alarm clock has run out."""


async def close_and_prove(progress: GrantProgress, alerts: GrantAlerts) -> None:
    """Close the account, prove it, and alarm on a clock for as long as that has not succeeded."""
    closing = asyncio.create_task(_Closing(progress, alerts).close_and_prove())
    # From the expiry: a workflow that wakes late is late already.
    since = min(progress.expires_at or workflow.now(), workflow.now())
    for patience in _alarm_clock(progress.granted, workflow.now() - since):
        try:
            await workflow.wait_condition(
                closing.done,
                timeout=max(since + patience - workflow.now(), timedelta(0)),
                timeout_summary=f"An alarm, if it takes longer than {format_duration(patience)}",
            )
            break
        except TimeoutError:
            alerts.alarm(AlarmKind.CLOSING_LATE, _what_is_late(progress, patience))
    await closing


def _alarm_clock(grant: Grant, late: timedelta) -> Iterator[timedelta]:
    """After how long an alarm is due. Of those that are due now, ``late``, only the last."""
    clock = chain(grant.alarm_after, (grant.alarm_after[-1] + hours * ALARMED_AGAIN_EVERY for hours in count(1)))
    return (this for this, following in pairwise(clock) if following > late)


def _what_is_late(progress: GrantProgress, patience: timedelta) -> str:
    name, late = progress.granted.account_name, format_duration(patience)
    if progress.closing.proof:
        return f"{name} is closed, but after {late} the ledger cannot record it."
    return f"{name} is not proven closed after {late}."


class _Closing:
    """One closing, of which each step is repeated until it is done."""

    def __init__(self, progress: GrantProgress, alerts: GrantAlerts) -> None:
        self._progress = progress
        self._alerts = alerts
        self._began = workflow.now()
        self._account = self._as_known_now()

    async def close_and_prove(self) -> None:
        closing, grant = self._progress.closing, self._progress.granted
        closing.proof = None
        closing.proof = await self._close()
        fence = closing.proof.fence
        if fence is None:  # the ledger may be down: what it keeps is needed for the receipt alone
            fence = await self._do(Closing.fence, grant.request_id, CLOSING, "No opening from here on")
        if fence.lease_until or self._is_renewed():
            # What was admitted before the fence may still be on its way to Microsoft, an opening or a new credential,
            # or have landed after the account was disabled: the last act before the proof is a write.
            if fence.lease_until and fence.lease_until > workflow.now():
                await workflow.sleep(fence.lease_until - workflow.now(), summary="A write's lease")
            # It may have landed at the last moment, and a replica that lags would still show the account as it was.
            self._account = self._as_known_now()
            closing.proof = await self._close()
        self._progress.traces.are_gone()

    def _as_known_now(self) -> AccountToClose:
        return self._progress.traces.account(self._progress.granted, self._began)

    def _is_renewed(self) -> bool:
        """Its pass is another one by now: the renewal had been made, and this workflow had not heard of it yet."""
        return self._progress.traces.pass_id != self._account.pass_id

    async def _close(self) -> Closed:
        summary = f"Close {self._account.grant.account_name}: fence, disable, strip, read back"
        closed = await self._do(Closing.close, self._account, CLOSING_THE_ACCOUNT, summary)
        self._keep(closed)
        return closed

    async def _do(
        self,
        activity: Callable[[Any, Argument], Awaitable[Result]],
        argument: Argument,
        how: ActivityConfig,
        summary: str,
    ) -> Result:
        on_failure = partial(self._alerts.alarm, AlarmKind.CLOSING_LATE)
        return await execute_until_done(activity, argument, how, summary=summary, on_failure=on_failure)

    def _keep(self, closed: Closed) -> None:
        self._progress.closing.keep(closed)
        self._progress.sweep.find(closed.findings)
        if closed.alarm and closed.alarm not in self._progress.alarms:  # it may be closed twice
            self._alerts.alarm(closed.alarm_kind, closed.alarm)


async def settle(progress: GrantProgress, ending: Ending) -> None:
    """Write the receipt and release the lock, for as long as that takes. Where no request came there is neither."""
    proof, receipt = progress.closing.proof, None
    if progress.asked:
        settlement = Settlement(
            signed=progress.asked,
            ending=ending,
            settled_at=workflow.now(),
            expires_at=progress.expires_at,
            disabled_at=progress.closing.disabled_at,
            proven_at=proof and proof.proven_at,
            standing=proof and proof.standing,
            findings=tuple(progress.sweep.findings),
            steps=tuple(progress.closing.steps),
            alarms=tuple(progress.alarms),
            carried=progress.carried,
            to_sweep=progress.to_sweep,
            signed_end=progress.signed_end,
        )
        receipt = await execute_until_done(
            Closing.settle, settlement, CLOSING, summary="What stays behind? Write the receipt, release the lock"
        )
    progress.settle(ending, receipt, workflow.now())
