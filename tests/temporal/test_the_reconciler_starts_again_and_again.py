"""The reconciler starts again and again, whatever happened to its schedule and to its last run.

The next run is skipped while one runs. A run that newer code cannot continue would run for ever: without a limit of
its own, there would be no reconciler from that deployment on, and no alarm.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from entra_jit.temporal.plugin import entra_jit_plugin
from entra_jit.temporal.schedules import RECONCILIATION_ID, ensure_reconciliation
from tests.patience import eventually
from tests.stage import temporal_program

EVERY = timedelta(hours=1)


async def test_neither_a_pause_nor_a_run_that_cannot_go_on_stops_the_reconciler() -> None:
    briefly = timedelta(seconds=2)
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_program(), plugins=[entra_jit_plugin()]
    ) as environment:
        client = environment.client
        await ensure_reconciliation(client, "nobody-works-here", EVERY, lasts_at_most=briefly)
        [first] = await eventually(lambda: _runs(client, 1))
        schedule = client.get_schedule_handle(RECONCILIATION_ID)
        await schedule.pause(note="by mistake")

        await ensure_reconciliation(client, "nobody-works-here", EVERY, lasts_at_most=briefly)
        assert not (await schedule.describe()).schedule.state.paused

        run = client.get_workflow_handle(first)

        async def is_over() -> bool | None:
            return (await run.describe()).status is WorkflowExecutionStatus.TIMED_OUT or None

        await eventually(is_over)
        await schedule.trigger()
        assert len(await eventually(lambda: _runs(client, 2))) == 2


async def _runs(client: Client, count: int) -> list[str] | None:
    found = [execution.id async for execution in client.list_workflows('WorkflowType = "Reconciliation"')]
    return found if len(found) == count else None
