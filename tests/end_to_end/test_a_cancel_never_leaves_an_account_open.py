"""Cancelling a grant closes its account, whatever the grant was just doing and however often it is cancelled.

Temporal delivers the first cancellation only, so one that is mishandled cannot be repeated. A workflow that closes in a
plain ``finally`` lets it interrupt the closing itself and ends "Canceled" with the account open; one that starts
closing while a step is still under way is overtaken by that step.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import cycle
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from models.messages import GrantState, Proof, Receipt
from tests.end_to_end.grant_calls import CLOSING_WRITES, FIRST_IS_A_TRIAL, OPENING_WRITES, READS_BEFORE_WRITING
from tests.patience import HELD_SECONDS
from tests.stage import Scene, Services, scene

pytestmark = pytest.mark.spine

PREPARING = {name: call for name, call in (READS_BEFORE_WRITING | OPENING_WRITES).items() if name != "set the password"}
PREPARING["read back the roles"] = {"method": "GET", "path": "/roleManagement/directory/roleAssignments"}
SHORTEST_HOURS = 10 / 3600
SLOW = 1.5
HELD: dict[str, Any] = {"delay": HELD_SECONDS}


@pytest.fixture
async def crowd(services: Services) -> AsyncIterator[Scene]:
    """As many customers as there are moments to disturb, each with one grant."""
    async with scene(services, customers=16, skips_time=False) as made:
        yield made


async def closed_for_good(stage: Scene, request_id: str, customer: str) -> Receipt:
    """The receipt, after everything that could still have come late has come; the account is closed or never was."""
    receipt = await stage.receipt(request_id)
    await asyncio.sleep(SLOW)  # the closing's own calls, which are slow, are answered; what was held up was let go
    if stage.user(customer=customer) is None:
        assert receipt.standing is None or not receipt.standing.exists
    else:
        stage.assert_closed(customer=customer)
    return receipt


Stop = Callable[[Scene, str], Awaitable[None]]


async def cancel_once(stage: Scene, request_id: str) -> None:
    await stage.workflow(request_id).cancel()


async def cancel_twice(stage: Scene, request_id: str) -> None:
    await cancel_once(stage, request_id)
    await cancel_once(stage, request_id)


async def cancel_late(stage: Scene, request_id: str) -> None:
    await asyncio.sleep(SLOW)
    with contextlib.suppress(RPCError):  # the grant may be over by now
        await cancel_once(stage, request_id)


async def cancel_thrice_over_the_closing(stage: Scene, request_id: str) -> None:
    await cancel_twice(stage, request_id)
    await cancel_late(stage, request_id)


async def end(stage: Scene, request_id: str) -> None:
    await stage.workflow(request_id).signal("end")


async def stopped_during(stage: Scene, customer: str, call: dict[str, str], effect: dict[str, Any], stop: Stop) -> None:
    """Ask, stop the grant while ``call`` is under way or being retried, and see that nothing is left open."""
    fault = stage.fault(customer=customer, **call, **effect)
    # The closing is slow too, so that what comes after the first cancellation comes into the middle of it.
    stage.fault(customer=customer, **CLOSING_WRITES["disable"], delay=1)
    request_id = await stage.ask(customer=customer)
    await stage.reached(fault)
    await stop(stage, request_id)
    stage.release(fault)  # the closing reads what the opening reads, and waits until it can

    receipt = await closed_for_good(stage, request_id, customer)

    status = (await stage.workflow(request_id).describe()).status
    if stop is end:
        assert (receipt.ending.state, status) == (GrantState.ENDED, WorkflowExecutionStatus.COMPLETED)
    else:
        assert (receipt.ending.state, status) == (GrantState.CANCELLED, WorkflowExecutionStatus.CANCELED)
    if receipt.standing is not None:
        assert receipt.standing.is_closed


@pytest.mark.parametrize("effect", [HELD, {"status": 503}], ids=["under way", "being retried"])
async def test_cancelled_or_ended_during_any_step(crowd: Scene, effect: dict[str, Any]) -> None:
    customers = iter(crowd.customers)
    stops = cycle([cancel_once, cancel_thrice_over_the_closing, cancel_twice])
    moments = [(call, next(stops)) for call in PREPARING.values()]
    moments += [(PREPARING[name], end) for name in ("look for the account", "create the account", "enable")]
    moments += [(CLOSING_WRITES["disable"], stop) for stop in (cancel_once, end)]  # the trial, before the opening

    await asyncio.gather(*(stopped_during(crowd, next(customers), call, effect, stop) for call, stop in moments))


async def test_the_closing_waits_for_every_step_that_is_under_way(real_time: Scene) -> None:
    """Roles and credential are given at the same time; the slower of the two must not land on a closed account."""
    slow = real_time.fault(**OPENING_WRITES["assign a role"], delay=3)
    refused = real_time.fault(**OPENING_WRITES["make the pass"], status=503)
    request_id = await real_time.ask()
    await asyncio.gather(real_time.reached(slow), real_time.reached(refused))
    await real_time.workflow(request_id).cancel()

    receipt = await real_time.receipt(request_id)
    await asyncio.sleep(3)

    assert receipt.ending.state is GrantState.CANCELLED
    real_time.assert_closed()


async def test_an_opening_that_arrives_after_the_closing_is_closed_again(real_time: Scene) -> None:
    """The call was given up by us and is still on its way to Microsoft when the account is disabled."""
    opening = real_time.fault(**OPENING_WRITES["enable"], delay=8, count=1)
    request_id = await real_time.ask()
    await real_time.reached(opening)
    await real_time.workflow(request_id).cancel()

    receipt = await real_time.receipt(request_id)

    writes = [entry["fault"] for entry in real_time.journal(writes=True)]
    assert opening in writes, "the opening never landed"
    assert receipt.ending.state is GrantState.CANCELLED
    real_time.assert_closed()


async def test_cancelled_before_any_worker_lives(services: Services) -> None:
    async with scene(services, customers=2, skips_time=False, worker=False) as stage:
        requests = [await stage.ask(customer=customer) for customer in stage.customers]
        await cancel_twice(stage, requests[0])
        await end(stage, requests[1])
        await stage.start_worker()

        cancelled, ended = [await stage.receipt(request_id) for request_id in requests]

        assert cancelled.ending.state is GrantState.CANCELLED
        assert ended.ending.state is GrantState.ENDED
        assert (await stage.workflow(requests[0]).describe()).status is WorkflowExecutionStatus.CANCELED
        for customer in stage.customers:
            assert stage.user(customer=customer) is None
            assert not stage.journal(customer, writes=True)


async def test_a_request_withdrawn_where_nothing_was_begun_waits_for_no_tenant(hours_pass: Scene) -> None:
    """A closing would go on until the tenant can be reached, with alarms, and there is nothing to close."""
    unreachable = hours_pass.fault(method="*", path="/**", status=503)
    request_id = await hours_pass.ask()
    await hours_pass.reached(unreachable)
    await hours_pass.workflow(request_id).cancel()

    receipt = await hours_pass.receipt(request_id)

    assert (receipt.ending.state, receipt.proof) == (GrantState.CANCELLED, Proof.NOT_NEEDED)
    assert not hours_pass.journal(writes=True)


async def test_cancelled_while_the_natural_end_closes(services: Services) -> None:
    """The most dangerous moment of all: nothing would ever close the account once this closing is cancelled."""
    moments = [CLOSING_WRITES["disable"], CLOSING_WRITES["remove a role"], CLOSING_WRITES["clear the mark"]]
    effects: list[dict[str, Any]] = [HELD, {"status": 503, "count": 2}]
    async with scene(services, customers=6, skips_time=False) as stage:

        async def expire(customer: str, call: dict[str, str], effect: dict[str, Any]) -> None:
            trial = FIRST_IS_A_TRIAL if call is CLOSING_WRITES["disable"] else {}
            fault = stage.fault(customer=customer, **call, **effect, **trial)
            request_id = await stage.ask(customer=customer, hours=SHORTEST_HOURS)
            await stage.reached(fault)
            await cancel_twice(stage, request_id)
            stage.release(fault)
            await cancel_late(stage, request_id)

            receipt = await closed_for_good(stage, request_id, customer)

            assert receipt.ending.state is GrantState.EXPIRED
            assert (await stage.workflow(request_id).describe()).status is WorkflowExecutionStatus.COMPLETED

        # "disable" is also what makes sure of a found account while preparing, but there is none to be found here.
        cases = [(call, effect) for call in moments for effect in effects]
        await asyncio.gather(*(expire(customer, *case) for customer, case in zip(stage.customers, cases, strict=True)))
