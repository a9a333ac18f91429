"""Anyone in the namespace can send a grant any number of messages, and Temporal records them before any code sees them.

A history that is too long is ended by the server: the workflow is gone, and with it what would have closed the account.
An open or a parked grant goes on in a new run instead, with all that it knows, and does what it would have done.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from entra_jit.operations.extend_access import extend_access
from entra_jit.operations.retry_provisioning import retry_provisioning
from models import search_attributes
from models.messages import GrantState
from tests.actors import operator
from tests.end_to_end.provisioning_steps import STEPS
from tests.patience import eventually
from tests.stage import ELEVATE, Scene

AT_ONCE = 50

how_many = pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.long)])


async def flood(act: Scene, request_id: str, count: int) -> None:
    """So many signals, and a tenth as many updates and queries. None means anything; some may find the grant over."""
    workflow = act.workflow(request_id)
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with at_once:
            await workflow.signal(f"noise-{number % 7}", {"number": number})
            if number % 10 == 0:
                await workflow.execute_update("decision")
                await workflow.query("status")

    for outcome in await asyncio.gather(*map(one, range(count)), return_exceptions=True):
        assert outcome is None or isinstance(outcome, RPCError), outcome


async def carried_over(act: Scene, request_id: str, count: int) -> None:
    """Flood the grant until it is in another run."""
    workflow = act.workflow(request_id)
    first = (await workflow.describe()).run_id
    await flood(act, request_id, count)

    async def elsewhere() -> bool | None:
        return (await workflow.describe()).run_id != first or None

    await eventually(elsewhere)


@how_many
async def test_an_open_grant_is_extended_and_closed_all_the_same(hours_pass: Scene, count: int) -> None:
    request_id = await hours_pass.ask(hours=1, held=True)
    opened = await hours_pass.until(request_id, GrantState.OPEN)

    await carried_over(hours_pass, request_id, count)

    shown = await hours_pass.workflow(request_id).query("status")
    assert (shown["state"], shown["account_name"]) == (GrantState.OPEN, opened.account_name)
    described = await hours_pass.workflow(request_id).describe()
    assert described.typed_search_attributes.get(search_attributes.GRANT_STATE) == GrantState.OPEN
    await extend_access(operator("kim"), hours_pass.app, request_id, timedelta(hours=1), "more to do")
    await hours_pass.time_passes(request_id)
    receipt = await hours_pass.receipt(request_id)
    assert opened.expires_at is not None
    assert receipt.expires_at == opened.expires_at + timedelta(hours=1)
    assert receipt.ending.state is GrantState.EXPIRED
    assert receipt.opened_at == opened.opened_at
    assert receipt.swept
    assert receipt.unswept is None, "the baseline was carried over"
    hours_pass.assert_closed()


@how_many
async def test_a_parked_grant_is_tried_again_all_the_same(hours_pass: Scene, count: int) -> None:
    refused = hours_pass.fault(**STEPS["assign the directory role"], app=ELEVATE, status=403)
    request_id = await hours_pass.ask(held=True)
    parked = await hours_pass.until(request_id, GrantState.PARKED)

    await carried_over(hours_pass, request_id, count)

    assert (await hours_pass.status(request_id)).sentence == parked.sentence
    hours_pass.release(refused)
    await retry_provisioning(operator("kim"), hours_pass.app, request_id)
    await hours_pass.until(request_id, GrantState.OPEN)
    await hours_pass.workflow(request_id).signal("end")
    assert (await hours_pass.receipt(request_id)).ending.state is GrantState.ENDED
    hours_pass.assert_closed()


async def test_an_end_in_the_flood_ends(hours_pass: Scene) -> None:
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)

    await asyncio.gather(flood(hours_pass, request_id, 400), hours_pass.workflow(request_id).signal("end"))

    assert (await hours_pass.receipt(request_id)).ending.state is GrantState.ENDED
    hours_pass.assert_closed()


async def test_no_state_is_taken_from_who_starts_a_grant(hours_pass: Scene) -> None:
    """A state that says that nothing was ever opened would end the grant without closing its account."""
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    workflow = hours_pass.workflow(request_id)
    history = await workflow.fetch_history()
    asked = history.events[1].workflow_execution_signaled_event_attributes.input.payloads[0]
    signed = (await hours_pass.services.client.data_converter.decode([asked]))[0]
    await workflow.terminate()
    forged = {"asked": signed, "is_answered": True, "state": "open", "grant": None}

    started = await hours_pass.services.client.start_workflow(
        "AccessGrant", forged, id=workflow.id, task_queue=hours_pass.settings.task_queue
    )
    await started.signal("end")
    await started.result()

    assert (await started.describe()).status is WorkflowExecutionStatus.COMPLETED
    assert not hours_pass.sql("SELECT 1 FROM receipts WHERE request_id = %s", request_id)
    assert (hours_pass.user() or {})["enabled"], "the reconciler's to close"
