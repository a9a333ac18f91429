"""The reconciler closes accounts when everything else fails, so an alarm is raised when it stops.

A schedule is paused for maintenance and forgotten, or deleted by mistake. Nothing fails then, so nothing alarms. And a
workflow that Temporal cannot continue looks like any other that sleeps.
"""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta

import httpx
import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, ScheduleOverlapPolicy, WorkflowExecutionStatus
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError
from temporalio.worker import Worker

from entra_jit.operations.list_alarms import list_alarms
from entra_jit.operations.show_receipt import show_receipt
from entra_jit.temporal.schedules import RECONCILIATION_ID, REVIEWS_ID
from entra_jit.temporal.watch import ReconciliationWatch
from models.actor import RECONCILER
from models.alarms import AlarmKind
from models.messages import GrantState, SignedAccessRequest
from tests.actors import TESTER
from tests.end_to_end.reconciler import reconciled
from tests.end_to_end.reviews import ended
from tests.patience import PATIENCE_SECONDS, eventually
from tests.stage import REVOKE, Scene, stage_clock, variant

EVERY = timedelta(minutes=5)


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def standing(address: str) -> dict[AlarmKind, int]:
    """What the metric says that stands, by kind."""
    lines = httpx.get(f"http://{address}/metrics", trust_env=False, timeout=PATIENCE_SECONDS).text.splitlines()
    told = [line for line in lines if line.startswith("entra_jit_alarms{")]
    return {kind: int(line.split()[-1]) for line in told for kind in AlarmKind if f'kind="{kind.value}"' in line}


@pytest.mark.parametrize(("days", "kept"), [(None, True), (90, False)])
async def test_months_of_the_journal_are_kept_as_long_as_the_settings_say(
    real_time: Scene, days: int | None, kept: bool
) -> None:
    real_time.sql("SELECT make_event_partition('2024-02-01')")
    settings = real_time.settings.model_copy(update={"keep_events_days": days})
    app = variant(real_time.app, settings=settings)
    await ReconciliationWatch(app, real_time.services.client, Runtime.default().metric_meter).look()
    assert real_time.sql("SELECT to_regclass('events_2024_02') IS NOT NULL") == [(kept,)]


async def test_a_schedule_that_somebody_paused_goes_on_and_the_lapse_is_told(real_time: Scene) -> None:
    # The run that the schedule begins at once would look at the tenant as well, at the real time, and maybe last.
    await real_time.stop_worker(real_time.workers[0])
    now = stage_clock()
    app = variant(real_time.app, clock=lambda: now)
    client = real_time.services.client
    address = free_address()
    metrics = Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address)))
    watch = ReconciliationWatch(app, client, metrics.metric_meter)
    # A tenant that was connected just now is no lapse, though nobody has looked at it.
    await watch.look()
    assert not await list_alarms(TESTER, real_time.app)
    assert standing(address) == dict.fromkeys(AlarmKind, 0)

    now += 4 * EVERY
    # Where no worker lives, nobody raises it: whoever lists alarms is told all the same.
    unwatched = variant(real_time.app, clock=lambda: now)
    [untold] = await list_alarms(TESTER, unwatched)
    await watch.look()
    [lapse] = await list_alarms(TESTER, unwatched)
    assert lapse.sentence == untold.sentence
    assert standing(address)[AlarmKind.RECONCILER_LAPSED] == 1
    assert lapse.kind is AlarmKind.RECONCILER_LAPSED
    assert real_time.customer in lapse.sentence
    schedule = client.get_schedule_handle(RECONCILIATION_ID)
    try:
        assert not (await schedule.describe()).schedule.state.paused
        await schedule.pause()
        await watch.look()
        assert not (await schedule.describe()).schedule.state.paused
    finally:
        await schedule.delete()

    await reconciled(real_time, later=4 * EVERY)
    await watch.look()
    assert not await list_alarms(TESTER, real_time.app)
    assert standing(address) == dict.fromkeys(AlarmKind, 0)


async def test_with_temporal_away_what_the_ledger_shows_is_told_and_so_is_that(real_time: Scene) -> None:
    """The watch asked Temporal first, failed, and told nothing: an account was open minutes past its expiry."""
    now = stage_clock()
    app = variant(real_time.app, clock=lambda: now)
    client = real_time.services.client
    gone = await Client.connect(client.service_client.config.target_host, namespace="gone")
    meter = Runtime.default().metric_meter
    watch = ReconciliationWatch(app, gone, meter)
    real_time.sql("INSERT INTO closers (id, seen_at) VALUES ('gone', now() - interval '10 min')")
    now += 4 * EVERY
    for _ in range(2):
        with pytest.raises(RPCError):
            await watch.look()
        now += timedelta(minutes=1)
    told = {alarm.kind for alarm in await list_alarms(TESTER, real_time.app)}
    assert told == {AlarmKind.RECONCILER_LAPSED, AlarmKind.CLOSER_AWAY, AlarmKind.TEMPORAL_AWAY}
    await ReconciliationWatch(app, client, meter).look()
    assert AlarmKind.TEMPORAL_AWAY not in {alarm.kind for alarm in await list_alarms(TESTER, real_time.app)}


async def test_late_reviews_bring_their_schedule_back(real_time: Scene) -> None:
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    await ended(real_time, request_id)
    await real_time.stop_worker(real_time.workers[0])
    real_time.sql("UPDATE grants SET closed_at = closed_at - interval '1 hour'")
    client = real_time.services.client

    await ReconciliationWatch(real_time.app, client, Runtime.default().metric_meter).look()

    schedule = client.get_schedule_handle(REVIEWS_ID)
    policy = (await schedule.describe()).schedule.policy
    await schedule.delete()
    assert policy.overlap is ScheduleOverlapPolicy.SKIP


@workflow.defn(name="AccessGrant", sandboxed=False)
class Wedged:
    """What a bug makes of a grant: its task fails, again and again."""

    @workflow.run
    async def run(self) -> None:
        """Never."""
        raise RuntimeError("a bug")

    @workflow.signal
    def request_access(self, _: SignedAccessRequest) -> None:
        """Nothing."""


async def test_a_grant_whose_workflow_is_wedged_is_closed_at_its_expiry_and_ends_harmlessly_once_mended(
    real_time: Scene,
) -> None:
    client, queue = real_time.services.client, real_time.settings.task_queue
    request_id = await real_time.ask(hours=1)
    await real_time.until(request_id, GrantState.OPEN)
    await real_time.stop_worker(real_time.workers[0])
    workflow = real_time.workflow(request_id)

    async def fails() -> bool | None:
        history = await workflow.fetch_history()
        return any(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED for event in history.events) or None

    async with Worker(client, task_queue=queue, workflows=[Wedged]):
        await workflow.signal("end")
        await eventually(fails)
        assert (real_time.user() or {})["enabled"], "the workflow cannot close it"
        real_time.sql(
            "UPDATE grants SET armed_at = armed_at - interval '2 hours', expires_at = now() - interval '2 min'"
        )
        await reconciled(real_time)
        real_time.assert_closed()
        await reconciled(real_time, later=timedelta(minutes=15))
    settled = await show_receipt(TESTER, real_time.app, request_id)
    assert (settled.ending.state, settled.ending.by) == (GrantState.EXPIRED, RECONCILER)

    written = len(real_time.journal(writes=True))
    await real_time.start_worker()
    await workflow.result()
    assert (await workflow.describe()).status is WorkflowExecutionStatus.COMPLETED
    assert await show_receipt(TESTER, real_time.app, request_id) == settled
    assert all(call["app_id"] == REVOKE for call in real_time.journal(writes=True)[written:]), "it opens nothing"
    real_time.assert_closed()
    again = await real_time.ask()
    await real_time.until(again, GrantState.OPEN)


@pytest.mark.long
async def test_a_grant_that_temporal_cannot_carry_on_is_told_until_it_goes_on(real_time: Scene) -> None:
    client, queue = real_time.services.client, real_time.settings.task_queue
    await real_time.stop_worker(real_time.workers[0])
    watch = ReconciliationWatch(real_time.app, client, Runtime.default().metric_meter)

    async def told() -> str | None:
        await watch.look()
        wedged = [a for a in await list_alarms(TESTER, real_time.app) if a.kind is AlarmKind.WORKFLOW_WEDGED]
        return wedged[0].subject if wedged else None

    async with Worker(client, task_queue=queue, workflows=[Wedged]):
        request_id = await real_time.ask()
        assert await eventually(told) == request_id
    await real_time.start_worker()

    async def over() -> bool | None:
        return True if await told() is None else None

    await eventually(over)
    await asyncio.gather(real_time.workflow(request_id).signal("end"), real_time.receipt(request_id))
