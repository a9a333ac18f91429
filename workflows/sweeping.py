"""What a grant's account had when it was opened, and what has come to it: gathered on the way, told in the receipt.

None of it holds up an opening or a closing, and what fails is said instead of found.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.options import SWEEPING, SWEEPING_TIME, TAKING_BASELINE
from activities.signatures import Closing, Provisioning
from models.messages import AccountFound, Closed, Grant, GrantRef, ObjectId, Step, ToSweep
from models.sweep import Baseline, SweepFinding, stays_behind
from workflows.gathering import gather_or_cancel
from workflows.perform import Result, perform

PATCH = "sweeps"
BASELINE_TIME = SWEEPING_TIME


class Sweeping:
    """The baseline and the findings of one grant."""

    def __init__(self) -> None:
        self._baseline: Baseline | None = None
        self._found: dict[tuple[str, ...], SweepFinding] = {}
        self._unswept: list[str] = []
        self.swept = False
        """The account was looked at once it was closed."""
        self.step: Step | None = None
        """That look, with the directory's answers."""

    @property
    def findings(self) -> tuple[SweepFinding, ...]:
        """Each thing once, in the order in which it was found."""
        return tuple(self._found.values())

    @property
    def unswept(self) -> str | None:
        """What could not be looked at, and why."""
        return " ".join(self._unswept) or None

    def keep(self, closed: Closed) -> None:
        """What a step of the closing has found, and taken away."""
        self._keep(closed.findings)

    async def beside(self, work: Coroutine[Any, Any, Result], ref: GrantRef, account: AccountFound) -> Result:
        """Take the baseline while ``work`` is done that takes as long. One that is only being made can have nothing."""
        if account.object_id is None or not workflow.patched(PATCH):
            self._baseline = Baseline()
            return await work
        done, _ = await gather_or_cancel(work, self._take_stock(ref))
        return done

    async def _take_stock(self, ref: GrantRef) -> None:
        try:
            baseline = await perform(
                Provisioning.take_baseline,
                ref,
                TAKING_BASELINE,
                summary="What does the account have already?",
                within=BASELINE_TIME,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            baseline = Baseline(unread=f"No baseline could be taken: {error.cause or error}")
        self._baseline = baseline
        self._keep(baseline.findings)

    async def sweep(self, grant: Grant, object_id: ObjectId) -> None:
        """Look at what has come to the account, once it is proven closed."""
        if not workflow.patched(PATCH):
            return
        try:
            sweep = await perform(
                Closing.sweep,
                ToSweep(grant=grant, object_id=object_id, baseline=self._baseline),
                SWEEPING,
                summary="What stays behind?",
                within=SWEEPING_TIME,
            )
        except ActivityError as error:
            self._unswept.append(f"The sweep could not be made: {error.cause or error}")
            return
        self.swept = True
        self._keep(sweep.findings)
        self._unswept += sweep.unknown(self._baseline)
        self.step = sweep.step

    @property
    def alarm(self) -> str | None:
        """What somebody must look at; None: nothing was found, or it is gone."""
        return stays_behind(self.findings)

    def _keep(self, findings: tuple[SweepFinding, ...]) -> None:
        for finding in findings:
            self._found.setdefault((finding.kind, *finding.evidence), finding)
