"""Having an activity done: which one, with what, how (a row of ``activities.options``), and what the UI says of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar, cast

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, is_cancelled_exception
from temporalio.workflow import ActivityConfig, LocalActivityConfig

from models.markdown import escape

DONE_AGAIN_AFTER = timedelta(minutes=1)

Argument = TypeVar("Argument")
Result = TypeVar("Result")


async def execute(
    activity: Callable[[Any, Argument], Awaitable[Result]],
    argument: Argument,
    how: ActivityConfig,
    *,
    summary: str,
    within: timedelta | None = None,
) -> Result:
    """Have ``activity`` done by any worker, retried until ``within`` is over (None: for as long as it takes)."""
    config = ActivityConfig(**{**how, "summary": escape(summary), "schedule_to_close_timeout": within})
    return cast("Result", await workflow.execute_activity_method(activity, argument, **config))


async def execute_until_done(
    activity: Callable[[Any, Argument], Awaitable[Result]],
    argument: Argument,
    how: ActivityConfig,
    *,
    summary: str,
    on_failure: Callable[[str], None] = lambda _: None,
) -> Result:
    """Have ``activity`` done, whatever ends it undone; ``on_failure`` is told once of what did.

    Its retries have no end, but it can be failed by hand, and Temporal fails what it finds too large.
    """
    first = True
    while True:
        try:
            return await execute(activity, argument, how, summary=summary)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if first:
                on_failure(f"{summary.rstrip('?')}: it was ended undone, and is done again: {error.cause or error}")
            first = False
            await workflow.sleep(DONE_AGAIN_AFTER, summary=f"Again: {summary}")


async def execute_locally(
    activity: Callable[[Any, Argument], Awaitable[Result]],
    argument: Argument,
    how: LocalActivityConfig,
    *,
    summary: str,
    within: timedelta,
) -> Result:
    """Have ``activity`` done by this very worker, at a tenth of the cost; for what only asks the ledger."""
    config = LocalActivityConfig(**{**how, "summary": escape(summary), "schedule_to_close_timeout": within})
    try:
        return cast("Result", await workflow.execute_local_activity_method(activity, argument, **config))
    except ApplicationError as error:
        # Unlike any other, a local activity that fails for good raises its failure bare.
        raise ActivityError(
            error.message,
            scheduled_event_id=0,
            started_event_id=0,
            identity="",
            activity_type=activity.__name__,
            activity_id="",
            retry_state=RetryState.NON_RETRYABLE_FAILURE,
        ) from error
