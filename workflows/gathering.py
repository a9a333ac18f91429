"""Finishing what must be finished, whatever cancellation arrives meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from temporalio import workflow

Result = TypeVar("Result")


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
