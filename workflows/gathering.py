"""Doing things at the same time, and finishing what must be finished, whatever cancellation arrives meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from temporalio import workflow

Result = TypeVar("Result")
Other = TypeVar("Other")


async def uninterrupted(work: Coroutine[Any, Any, Result]) -> Result:
    """Run ``work`` to its end in a task of its own, which a cancellation of the workflow cannot reach.

    Not ``asyncio.shield`` in a ``finally``: when a worker stops, its cached workflows are torn down, and what such a
    block awaits is scheduled into some other workflow's history.
    """
    return (await ended(asyncio.create_task(work))).result()


async def ended(task: asyncio.Task[Result]) -> asyncio.Task[Result]:
    """Wait until ``task`` is over, however it ends, deaf to cancellation."""
    while not task.done():
        with suppress(asyncio.CancelledError):
            await workflow.wait([task])  # never cancels the task, unlike asyncio.wait_for
    return task


async def gather_or_cancel(
    first: Coroutine[Any, Any, Result], second: Coroutine[Any, Any, Other]
) -> tuple[Result, Other]:
    """Both results. When one fails the other is cancelled and waited for, so that nothing goes on behind the failure.

    ``asyncio.gather`` would raise and leave the other running: a pass could then be made after the closing.
    """
    tasks = (asyncio.create_task(first), asyncio.create_task(second))
    try:
        return await asyncio.gather(*tasks)
    except (Exception, asyncio.CancelledError):  # not GeneratorExit: nothing may be awaited in a teardown
        for task in tasks:
            task.cancel()
        for task in tasks:
            await ended(task)
        raise
