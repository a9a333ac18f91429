"""One step of a grant towards its opening: in the time that is left, and none once the grant is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow

from activities.options import PROVISIONING
from models.grant_progress import GrantProgress
from workflows.execution import Argument, Result, execute


def is_over(progress: GrantProgress) -> bool:
    """Ended, or cancelled in Temporal."""
    return progress.ending is not None or workflow.cancellation_reason() is not None


def stop_if_over(progress: GrantProgress) -> None:
    """An activity whose answer is there already keeps it to itself that its task was cancelled, so we look."""
    if is_over(progress):
        raise asyncio.CancelledError


def time_left(progress: GrantProgress) -> timedelta:
    """Until the window closes or, once armed, the grant expires: the server itself ends what takes longer."""
    window_ends_at = progress.granted.window_ends_at
    until = min(window_ends_at, progress.expires_at or window_ends_at)
    return max(until - workflow.now(), timedelta(milliseconds=1))


async def step(
    progress: GrantProgress, activity: Callable[[Any, Argument], Awaitable[Result]], argument: Argument, summary: str
) -> Result:
    """One step; none once the grant is over. Its answer is to be kept also if the grant is over by then."""
    stop_if_over(progress)
    return await execute(activity, argument, PROVISIONING, summary=summary, within=time_left(progress))
