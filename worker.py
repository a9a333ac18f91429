"""The worker: runs workflows and activities until it is told to stop.

Unversioned on purpose: a grant sleeps for hours, and a worker pinned to an older version would have to live on for
as long to close it. What changes in a workflow's commands goes behind ``workflow.patched``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from activities.alarming import AlarmingActivities
from activities.clocks import ClockInterceptor
from activities.closing import ClosingActivities
from activities.deciding import DecidingActivities
from activities.emergency import EmergencyActivities
from activities.errands import ErrandActivities
from activities.examining import ExaminingActivities
from activities.failures import FailureInterceptor
from activities.heartbeats import HeartbeatInterceptor
from activities.provisioning import ProvisioningActivities
from activities.reconciling import ReconcilingActivities
from entra_jit.accounts.emergency.signing_in import SignsIn
from entra_jit.accounts.on_time.known_beforehand import KnownBeforehand
from entra_jit.app import App
from entra_jit.health import beat
from entra_jit.program import run_program
from entra_jit.settings import Settings
from entra_jit.temporal import schedules
from entra_jit.temporal.arriving import arrive
from entra_jit.temporal.watch import ReconciliationWatch
from models.errors import SettingsError
from workflows.registry import WORKFLOWS

GRACE = timedelta(seconds=30)
"""How long activities may finish after the worker was told to stop."""

_log = structlog.get_logger("worker")


def activities_of(app: App, signs_in: SignsIn | None = None) -> list[Callable[..., Any]]:
    """Every activity of this process. ``signs_in``: how passkeys are tried; None: in a browser of this machine."""
    deciding, provisioning, closing, reconciling, examining, emergency, errands, alarming = (
        DecidingActivities(app),
        ProvisioningActivities(app),
        ClosingActivities(app),
        ReconcilingActivities(app),
        ExaminingActivities(app),
        EmergencyActivities(app, signs_in),
        ErrandActivities(app),
        AlarmingActivities(app),
    )
    return [
        deciding.decide,
        deciding.arm,
        deciding.park,
        deciding.unpark,
        provisioning.ready,
        provisioning.give,
        provisioning.open,
        provisioning.extend_grant,
        provisioning.renew_credential,
        closing.fence,
        closing.close,
        closing.settle,
        reconciling.list_tenants,
        reconciling.reconcile_tenants,
        reconciling.list_reviews,
        reconciling.review_tenant,
        examining.list_tenants_in_turn,
        examining.examine_tenant,
        examining.try_canary,
        emergency.list_emergency_tenants,
        emergency.list_emergency_work,
        emergency.watch_emergency_use,
        emergency.ensure_emergency_account,
        emergency.make_passkey,
        emergency.register_passkey,
        emergency.complete_emergency_account,
        emergency.prove_passkey,
        emergency.retire_other_passkeys,
        emergency.drill_emergency_account,
        errands.carry_out,
        alarming.raise_alarm,
    ]


def worker_of(client: Client, app: App, task_queue: str, signs_in: SignsIn | None = None) -> Worker:
    """The worker, not started. Converter and sandbox come from the client's plugin."""
    settings = app.settings
    return Worker(
        client,
        task_queue=task_queue,
        workflows=list(WORKFLOWS),
        activities=activities_of(app, signs_in),
        interceptors=[FailureInterceptor(), HeartbeatInterceptor(), ClockInterceptor(app.clocks)],
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        sticky_queue_schedule_to_start_timeout=settings.sticky_timeout,
        max_cached_workflows=settings.cached_workflows,
        max_concurrent_workflow_tasks=settings.workflow_tasks_at_once,
        max_concurrent_activities=settings.activities_at_once,
        graceful_shutdown_timeout=GRACE,
    )


async def run(settings: Settings, signs_in: Callable[[App], SignsIn] | None = None) -> None:
    """Work until SIGTERM or SIGINT; then finish what is under way. Raises ``SettingsError`` without all the keys.

    ``signs_in``: see ``activities_of``.
    """
    if settings.keys is None:
        raise SettingsError("ENTRA_JIT_KEYS is not set: a worker needs the deployment's keys, not the portal's")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runtime = _runtime(settings)
    async with App(settings, runtime=runtime) as app:
        client = await arrive(app.temporal, app)
        known = KnownBeforehand(app)
        tenants = await known.read()
        async with worker_of(client, app, settings.task_queue, signs_in and signs_in(app)):
            _log.info("working", task_queue=settings.task_queue, namespace=client.namespace, tenants=tenants)
            await schedules.ensure_reconciliation(client, settings.task_queue, settings.reconcile_every)
            await schedules.ensure_reviews(client, settings.task_queue, settings.reconcile_every)
            await schedules.ensure_examinations(client, settings.task_queue)
            await schedules.ensure_emergency_rounds(client, settings.task_queue)
            watch = ReconciliationWatch(app, client, runtime.metric_meter)
            beside = [asyncio.create_task(work) for work in (beat(settings.ready_file), watch.run(), known.keep())]
            await stop.wait()
            _log.info("stopping")
            for task in beside:
                task.cancel()


def _runtime(settings: Settings) -> Runtime:
    if settings.prometheus_address is None:
        return Runtime.default()
    metrics = PrometheusConfig(bind_address=settings.prometheus_address, durations_as_seconds=True)
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))


if __name__ == "__main__":
    code = run_program(run)
    # The interpreter's own exit can crash after a worker has run (temporalio/sdk-python issue 300).
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
