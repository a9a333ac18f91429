"""The schedules of all that runs again and again, made anew by every worker that starts."""

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

from models.messages import EmergencyRoundsInput, ExaminationsInput, ReconciliationInput, ReviewsInput
from models.messages.emergency import ROUND_EVERY
from models.names import EMERGENCY_ROUNDS, EXAMINATIONS, RECONCILIATION, REVIEWS

RECONCILIATION_ID = "reconciliation"
REVIEWS_ID = "reviews"
EXAMINATIONS_ID = "examinations"
EMERGENCY_ROUNDS_ID = "emergency-rounds"

EXAMINE_EVERY = timedelta(days=1)

LASTS_AT_MOST = timedelta(hours=1)
"""How long one run may take. A run that newer code cannot go on with would otherwise stay for ever, and with it the
rule that one at a time runs: there would be no reconciler any more."""


async def ensure_reconciliation(
    client: Client, task_queue: str, every: timedelta, *, lasts_at_most: timedelta = LASTS_AT_MOST
) -> None:
    """Have every tenant reconciled ``every`` so often; changes what is there already. Idempotent.

    A deleted schedule comes back, a paused one continues: nothing holds up closing.
    """
    closing = ScheduleActionStartWorkflow(
        RECONCILIATION,
        ReconciliationInput(every=every),
        id=RECONCILIATION_ID,
        task_queue=task_queue,
        execution_timeout=lasts_at_most,
        static_summary="Close what is open without a live grant",
    )
    await _ensure(client, closing, every)


async def ensure_reviews(client: Client, task_queue: str, every: timedelta) -> None:
    """Have the reviews that are due made ``every`` so often, as ``ensure_reconciliation`` does. Idempotent."""
    reading = ScheduleActionStartWorkflow(
        REVIEWS,
        ReviewsInput(every=every),
        id=REVIEWS_ID,
        task_queue=task_queue,
        execution_timeout=LASTS_AT_MOST,
        static_summary="Read what technicians did in grants that have ended",
    )
    await _ensure(client, reading, every)


async def ensure_examinations(client: Client, task_queue: str) -> None:
    """Have every tenant examined once a day, as ``ensure_reconciliation`` does. Idempotent."""
    examining = ScheduleActionStartWorkflow(
        EXAMINATIONS,
        ExaminationsInput(every=EXAMINE_EVERY),
        id=EXAMINATIONS_ID,
        task_queue=task_queue,
        execution_timeout=LASTS_AT_MOST,
        static_summary="Examine whether every tenant is set up for grants",
    )
    await _ensure(client, examining, EXAMINE_EVERY)


async def ensure_emergency_rounds(client: Client, task_queue: str) -> None:
    """Have every tenant asked what its emergency accounts need, as ``ensure_reconciliation`` does. Idempotent."""
    looking = ScheduleActionStartWorkflow(
        EMERGENCY_ROUNDS,
        EmergencyRoundsInput(every=ROUND_EVERY),
        id=EMERGENCY_ROUNDS_ID,
        task_queue=task_queue,
        execution_timeout=LASTS_AT_MOST,
        static_summary="Look which emergency accounts are to be made, rotated or tried",
    )
    await _ensure(client, looking, ROUND_EVERY)


async def _ensure(client: Client, action: ScheduleActionStartWorkflow, every: timedelta) -> None:
    """Have a schedule of the action's own id, whatever was there."""
    schedule = Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)], jitter=every / 10),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=every),
    )
    try:
        await client.create_schedule(action.id, schedule, trigger_immediately=True)
    except ScheduleAlreadyRunningError:

        async def renew(_: ScheduleUpdateInput) -> ScheduleUpdate:
            return ScheduleUpdate(schedule=schedule)

        await client.get_schedule_handle(action.id).update(renew)
