"""A reconciliation that dies with its worker is noticed by its missing heartbeats, not when its time is up.

Rounds never overlap, so a dead round blocks the next one: an account whose workflow was terminated stayed open for
four more minutes each time a worker was killed while it reconciled.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.lost_tries import SILENCE, lost_tries
from tests.end_to_end.whole_stack import whole_stack
from workflows.reconciliation import Reconciliation


@pytest.mark.long
async def test_its_worker_is_killed_while_it_looks_at_a_tenant(state: Path) -> None:
    async with whole_stack(state / "killed-worker") as (stack, stage):
        looking = stage.hold(customer="contoso", method="GET", path="/users")
        round_ = await stage.services.client.start_workflow(
            Reconciliation.run, id="a-round-by-hand", task_queue=stage.settings.task_queue
        )
        await stage.reached(looking)

        await stack.kill_worker()
        await stack.start_worker()

        report = await round_.result()
        assert (report.tenants, report.failed) == (2, 0), report.remarkable
        assert await lost_tries(round_, "reconcile_tenants") == {SILENCE}
