"""Why a step of provisioning failed for good, read from the error that Temporal wraps it in, and what follows."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.exceptions import TimeoutError as TimedOutError

from models import actor
from models.grant_progress import GrantProgress, Refusal
from models.messages import NOTHING_GIVEN, NOTHING_WRITTEN, FailureType, GrantState


def refusal_of(error: ActivityError) -> Refusal:
    """What the activity said, or what it said last when its time ran out."""
    cause: BaseException = error.cause or error
    while not isinstance(cause, ApplicationError) and cause.__cause__ is not None:
        cause = cause.__cause__
    ran_out_of_time = isinstance(error.cause, TimedOutError)
    if not isinstance(cause, ApplicationError):
        return Refusal(failure=None, sentence=str(cause), ran_out_of_time=ran_out_of_time)
    return Refusal(
        failure=FailureType(cause.type or ""),
        sentence=cause.message,
        ran_out_of_time=ran_out_of_time,
        gave_nothing=cause is error.cause and NOTHING_GIVEN in cause.details,
        wrote_nothing=cause is error.cause and NOTHING_WRITTEN in cause.details,
    )


def take_refusal(progress: GrantProgress, error: ActivityError) -> None:
    """Leaves the refusal for which the grant is to be parked, or an ending."""
    refused = refusal_of(error)
    if refused.gave_nothing:
        progress.traces.access_asked_for = False
    if refused.wrote_nothing:
        progress.traces.written = False
    if progress.expires_at and workflow.now() >= progress.expires_at:
        why = f"It expired before it could be opened: {refused.sentence}"
        progress.end(GrantState.EXPIRED, actor.CLOCK, why, refused.failure)
    elif refused.failure is FailureType.GRANT_OVER:
        progress.end(GrantState.ENDED, actor.LEDGER, refused.sentence)
    elif refused.failure is FailureType.REFUSED and not progress.traces.written:
        progress.end(GrantState.DENIED, actor.POLICY, refused.sentence, refused.failure)
    elif refused.failure and not refused.failure.is_transient and not refused.ran_out_of_time:
        progress.refusal = refused
    else:
        progress.end(GrantState.FAILED, actor.PROVISIONING_WINDOW, refused.sentence, refused.failure)
