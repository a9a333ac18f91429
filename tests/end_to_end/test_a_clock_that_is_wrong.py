"""A machine's clock that is wrong opens nothing, keeps nothing open, and ends nothing of other machines early.

With a worker's clock half an hour ahead, a grant of 30 seconds expired half an hour late, without an alarm, and its
reconciler settled the live grants of other workers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from entra_jit.accounts.ledger_watch import LedgerWatch
from entra_jit.accounts.reconciliation.reconcile_tenant import TenantReconciliation
from entra_jit.app import App
from entra_jit.ledger.clock import LedgerClock, machine_clock
from entra_jit.operations.end_access import end_access
from entra_jit.operations.list_alarms import list_alarms
from models.alarms import AlarmKind
from models.messages import GrantState, TenantId
from tests.actors import TESTER
from tests.stage import ON_TIME, Scene, customer_id, stage_clock, variant

HALF_AN_HOUR = timedelta(minutes=30)


@asynccontextmanager
async def on_a_machine(act: Scene, ahead: timedelta) -> AsyncIterator[App]:
    """The scene's only worker runs on a machine whose clock is so far ahead."""
    for worker in list(act.workers):
        await act.stop_worker(worker)
    clock = LedgerClock(machine=lambda: machine_clock() + ahead)
    async with App(act.settings, clock=clock, client=act.app.client) as app:
        await app.directories.read_all()  # as a worker does before it works
        await act.start_worker(app)
        yield app
        for worker in list(act.workers):
            await act.stop_worker(worker)


@pytest.mark.parametrize("ahead", [HALF_AN_HOUR, -HALF_AN_HOUR], ids=["ahead", "behind"])
async def test_a_wrong_machine_opens_nothing_and_closes_as_ever(real_time: Scene, ahead: timedelta) -> None:
    open_already = await real_time.ask("alex")
    await real_time.until(open_already, GrantState.OPEN)
    async with on_a_machine(real_time, ahead) as wrong:
        refused = real_time.hold(method="PATCH", body_contains='"accountEnabled":true')
        asked = await real_time.ask("robin")
        tenant = TenantId(customer_id(real_time.customer))
        report = await TenantReconciliation(wrong).reconcile(tenant, real_time.customer)
        assert not report.closed, "by the right clock its time is not over"
        await end_access(TESTER, real_time.app, open_already)
        assert (await real_time.receipt(open_already)).proof.is_proven
        await LedgerWatch(wrong).look()
        alarm = {alarm.kind: alarm for alarm in await list_alarms(TESTER, real_time.app)}[AlarmKind.CLOCK_APART]
        how = f"30 min {'ahead of' if ahead > timedelta(0) else 'behind'}"
        assert f"{how} PostgreSQL's" in alarm.sentence
        assert f"{how} Temporal's" in alarm.sentence
        assert f"{how} Microsoft's" in alarm.sentence
        assert real_time.hits(refused) == 0
        real_time.release(refused)
    await real_time.start_worker()
    status = await real_time.until(asked, GrantState.OPEN)
    assert status.expires_at is not None
    assert abs(status.expires_at - stage_clock() - timedelta(hours=4)) < ON_TIME


async def test_an_expiry_that_is_too_late_is_refused_by_the_workflow(real_time: Scene) -> None:
    """Its worker does not know that its clock is wrong."""
    [worker] = real_time.workers
    await real_time.stop_worker(worker)
    await real_time.start_worker(variant(real_time.app, clock=lambda: stage_clock() + timedelta(minutes=2)))
    receipt = await real_time.receipt(await real_time.ask())
    assert receipt.ending.state is GrantState.FAILED
    assert receipt.opened_at is None
    assert receipt.proof.is_proven
    real_time.assert_closed()
