"""A worker that is stopped leaves its grants to the next one, wherever they stand, and each keeps to itself.

Every deployment stops workers with hundreds of grants in their caches. A step that was under way, a closing in its
retries or a timer that was lost with them would leave an account open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from entra_jit.temporal.plugin import entra_jit_plugin
from models.messages import GrantState
from tests.end_to_end.grant_calls import CLOSING_WRITES, FIRST_IS_A_TRIAL, OPENING_WRITES
from tests.stage import ON_TIME, Services, scene


async def test_open_preparing_and_closing_grants_go_on_under_another_worker(services: Services) -> None:
    async with scene(services, customers=6, skips_time=False, worker=False) as stage:
        first = await stage.start_worker()
        expiring, ending, retrying, under_way, closing, parked = stage.customers
        stage.fault(customer=retrying, **OPENING_WRITES["assign a role"], status=503, retry_after=1)
        opening = stage.hold(customer=under_way, **OPENING_WRITES["enable"])
        stage.fault(customer=closing, **CLOSING_WRITES["disable"], status=503, retry_after=1, **FIRST_IS_A_TRIAL)
        stage.fault(customer=parked, **OPENING_WRITES["assign a role"], status=403, count=1)
        grants = {customer: await stage.ask(customer=customer, hours=1) for customer in stage.customers}
        await asyncio.gather(
            *(stage.until(grants[customer], GrantState.OPEN) for customer in (expiring, ending, closing)),
            stage.until(grants[parked], GrantState.PARKED),
        )
        await stage.workflow(grants[closing]).signal("end")
        await stage.until(grants[closing], GrantState.CLOSING)
        await stage.reached(opening)

        # Of its own connection, like another process; it is at work while the first one is torn down.
        address = services.client.service_client.config.target_host
        stage.worker_client = await Client.connect(address, plugins=[entra_jit_plugin()])
        await stage.start_worker()
        await stage.stop_worker(first)
        stage.mend()
        for customer in (ending, retrying, under_way):
            await stage.workflow(grants[customer]).signal("end")
        await stage.workflow(grants[parked]).cancel()
        await stage.time_passes(grants[expiring])

        receipts = {customer: await stage.receipt(grant) for customer, grant in grants.items()}

        assert receipts[expiring].ending.state is GrantState.EXPIRED
        assert receipts[expiring].lateness is not None
        assert receipts[expiring].lateness < ON_TIME
        assert receipts[parked].ending.state is GrantState.CANCELLED
        assert {receipts[c].ending.state for c in (ending, retrying, under_way, closing)} == {GrantState.ENDED}
        for customer, grant in grants.items():
            stage.assert_closed(customer=customer)
            events = (await stage.workflow(grant).fetch_history()).events
            assert_own(grant, events)


def assert_own(request_id: str, events: Sequence[HistoryEvent]) -> None:
    """Whatever the history had done was done for this very grant, and no task of it ever failed."""
    for event in events:
        assert event.event_type != EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, (
            event.workflow_task_failed_event_attributes
        )
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            scheduled = event.activity_task_scheduled_event_attributes
            [argument] = scheduled.input.payloads
            assert f'"{request_id}"'.encode() in argument.data, scheduled.activity_type.name
