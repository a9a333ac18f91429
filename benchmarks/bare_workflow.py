"""A workflow that does nothing, by as many activities as are asked for: what Temporal alone costs.

In a module of its own: Temporal's sandbox imports it anew.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow


@activity.defn
async def nothing() -> None:
    """Does nothing."""


@workflow.defn
class Bare:
    """So many activities, one after another."""

    @workflow.run
    async def run(self, count: int) -> None:
        """Nothing comes of it."""
        for _ in range(count):
            await workflow.execute_activity(nothing, start_to_close_timeout=timedelta(seconds=30))
