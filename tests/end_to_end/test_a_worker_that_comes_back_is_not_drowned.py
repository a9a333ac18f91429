"""A worker that comes back to hundreds of open grants replays them in time, and does not begin them all anew for ever.

It knows none of them any more, so the next step of each is a replay of its whole life, and all of them share one
interpreter. Too many at once, and each takes longer than Temporal waits for it; what was done is thrown away and given
out anew, and accounts stay open for as long as that goes on, which on a busy machine is for ever.
"""

from __future__ import annotations

import time

from temporalio.worker import Replayer

from entra_jit.settings import Settings
from entra_jit.temporal.plugin import entra_jit_plugin
from tests.end_to_end.recordings import RECORDED, recorded
from workflows.access_grant import AccessGrant

TIMES = 3
WORKFLOW_TASK_SECONDS = 10
"""Temporal's default."""

SPARE = 3
"""How much busier than idle the machine may be: PostgreSQL and Temporal want their share, too."""


async def test_as_many_replays_as_run_at_once_are_done_within_one_ones_time() -> None:
    life = recorded(next(file for file in RECORDED if file.stem == "expired"))
    replayer = Replayer(workflows=[AccessGrant], plugins=[entra_jit_plugin()])
    await replayer.replay_workflow(life)  # imports, once for all
    # The processor's time, not the clock's: how many others use this machine says nothing about the code.
    began = time.process_time()
    for _ in range(TIMES):
        await replayer.replay_workflow(life)
    each = (time.process_time() - began) / TIMES

    at_once = Settings.model_fields["workflow_tasks_at_once"].default
    assert each * at_once * SPARE < WORKFLOW_TASK_SECONDS, f"{each:.3f} s for one replay"
