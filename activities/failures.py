"""How our errors cross Temporal: their type, their explanation, and when to try again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from entra_jit.graph import LONGEST_WAIT, TransientError
from entra_jit.ledger.admission import PausedError
from models.errors import EntraJitError

RESUMED_WITHIN = timedelta(seconds=10)
"""How long after a tenant is resumed its waiting steps go on, at most, however long they have waited."""


class FailureInterceptor(Interceptor):
    """Turns our errors into Temporal's failures. Tracebacks stay in our logs."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Temporal's hook."""
        return _Translating(next)


class _Translating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except EntraJitError as error:
            # From None: the cause would carry a traceback into history, and with it lines that may quote what they
            # worked on.
            raise as_failure(error, activity.info()) from None


def as_failure(error: EntraJitError, info: activity.Info) -> ApplicationError:
    """The error as it crosses Temporal. ``FailureType(failure.type)`` reads it on the other side."""
    wait = _wait(error, info)
    return ApplicationError(str(error), *error.details, type=error.failure_type.value, next_retry_delay=wait)


def _wait(error: EntraJitError, info: activity.Info) -> timedelta | None:
    """How long to wait before the next attempt; None: as the retry policy says."""
    if isinstance(error, PausedError):
        return RESUMED_WITHIN
    asked = error.retry_after if isinstance(error, TransientError) else None
    return asked if asked and asked > _own_wait(info) else None


def _own_wait(info: activity.Info) -> timedelta:
    """How long the retry policy waits after this attempt.

    A throttled tenant that asks for one second again and again would otherwise be asked every second, whatever else
    the activity waits for, and would never stop throttling.
    """
    if (policy := info.retry_policy) is None:
        return timedelta(0)
    longest = policy.maximum_interval or LONGEST_WAIT
    # Past a few dozen attempts the power would overflow, and has long been capped.
    grown = policy.initial_interval * policy.backoff_coefficient ** min(info.attempt - 1, 30)
    return min(grown, longest)
