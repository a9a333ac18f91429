"""Why a step of provisioning failed for good, read from the error that Temporal wraps it in."""

from __future__ import annotations

from typing import NamedTuple

from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.exceptions import TimeoutError as TimedOutError

from models.messages import NOTHING_GIVEN, FailureType


class Refusal(NamedTuple):
    """What a provisioning step failed with for good."""

    failure: FailureType | None
    sentence: str
    ran_out_of_time: bool = False
    """It was tried until there was no time left, and was not refused."""
    gave_nothing: bool = False
    """There is nothing of it in the directory to wait for."""


def refusal(error: ActivityError) -> Refusal:
    """What the activity said, or what it said last when its time ran out."""
    cause: BaseException = error.cause or error
    while not isinstance(cause, ApplicationError) and cause.__cause__ is not None:
        cause = cause.__cause__
    ran_out_of_time = isinstance(error.cause, TimedOutError)
    if not isinstance(cause, ApplicationError):
        return Refusal(None, str(cause), ran_out_of_time)
    gave_nothing = cause is error.cause and NOTHING_GIVEN in cause.details
    return Refusal(FailureType(cause.type or ""), cause.message, ran_out_of_time, gave_nothing)
