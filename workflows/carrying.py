"""Carrying a grant over to a run with an empty history, before a flood of messages fills the one it has.

Temporal records every signal before any code sees it, and ends a run whose history is too long: without a closing. So
an open or a parked grant goes on in a new run when Temporal suggests it, with its whole state.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError
from temporalio import workflow

from models.grant_progress import ClosingProgress, GrantProgress
from models.messages import SignedAccessRequest
from workflows.alerts import GrantAlerts
from workflows.inputs import read_message


def is_due() -> bool:
    """Temporal suggests a new run. Until there is one, nothing that takes time may be begun."""
    return workflow.info().is_continue_as_new_suggested()


def can_be_carried(alerts: GrantAlerts) -> bool:
    """It is due, and nothing is under way that would be lost with this run."""
    return is_due() and workflow.all_handlers_finished() and alerts.are_heard


def take_over(inputs: Sequence[object]) -> GrantProgress:
    """The state that the run before has carried over; that of a new grant where there was none.

    Only Temporal itself can say that there was one: who may start workflows could send any state as an input. Whatever
    it says, the account is closed at the end.
    """
    if workflow.info().continued_run_id is None:
        return GrantProgress()
    progress = _read(inputs)
    progress.traces.written, progress.closing = True, ClosingProgress()
    return progress


def _read(inputs: Sequence[object]) -> GrantProgress:
    for value in inputs:
        try:
            return GrantProgress.model_validate(value)
        except ValidationError:
            # Of another version. From the request alone, what was decided is taken up as after a reset.
            asked = value.get("asked") if isinstance(value, dict) else None
            return GrantProgress(asked=read_message(SignedAccessRequest, [asked]))
    return GrantProgress()
