"""The schedule of the reconciliation, made anew by every worker that starts."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from models.messages import ReconciliationInput
from models.names import RECONCILIATION

RECONCILIATION_ID = "reconciliation"

LASTS_AT_MOST = timedelta(hours=1)
"""How long one run may take. A run that newer code cannot go on with would otherwise stay for ever, and with it the
rule that one at a time runs: there would be no reconciler any more."""


async def ensure_reconciliation(
    client: Client, task_queue: str, every: timedelta, *, lasts_at_most: timedelta = LASTS_AT_MOST
) -> None:
    """Have every tenant reconciled ``every`` so often; changes what is there already. Idempotent.

    A deleted schedule comes back, a paused one continues: nothing holds up closing.
    """
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            RECONCILIATION,
            ReconciliationInput(every=every),
            id=RECONCILIATION_ID,
            task_queue=task_queue,
            execution_timeout=lasts_at_most,
            static_summary="Close what is open without a live grant",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)], jitter=every / 10),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every),
    )
    try:
        await client.create_schedule(RECONCILIATION_ID, schedule, trigger_immediately=True)
    except ScheduleAlreadyRunningError:

        async def renew(_: ScheduleUpdateInput) -> ScheduleUpdate:
            return ScheduleUpdate(schedule=schedule)

        await client.get_schedule_handle(RECONCILIATION_ID).update(renew)
