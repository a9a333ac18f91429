"""Temporal's wrong buttons, Reset and Terminate: what has ended is never granted again, and what lives lasts no longer.

A reset runs a workflow's steps once more, as of then. A product that trusts its history creates the account, gives the
roles and opens it a second time, for a grant that was over; and the end of the old run closes the newer grant.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus

from entra_jit.operations.extend_access import extend_access
from models.messages import GrantState
from tests.actors import operator
from tests.end_to_end.grant_calls import OPENING_WRITES
from tests.patience import eventually
from tests.stage import ON_TIME, Scene, Services, scene, variant

SHORTEST_HOURS = 10 / 3600
FIRST, MIDST, LAST = 0.0, 0.5, 1.0
"""How far into the workflow's tasks a reset goes back to."""


async def reset(stage: Scene, request_id: str, to: float) -> None:
    """Reset the workflow, as the Temporal UI does."""
    workflow = stage.workflow(request_id)
    tasks = [
        event.event_id
        async for event in workflow.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    ]
    client = stage.services.client
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow.id),
            reason="a wrong button",
            workflow_task_finish_event_id=tasks[round(to * (len(tasks) - 1))],
            request_id=str(uuid4()),
        )
    )


async def sleeps(stage: Scene, request_id: str) -> None:
    """Wait until the workflow has nothing to do but to wait: after a reset, until it has caught up."""

    async def nothing_is_pending() -> bool | None:
        described = (await stage.workflow(request_id).describe()).raw_description
        return not (described.HasField("pending_workflow_task") or described.pending_activities) or None

    await eventually(nothing_is_pending)


@dataclass
class Given:
    """Counts what is given to accounts of one customer; whatever is counted still happens."""

    stage: Scene
    counters: list[str]

    @classmethod
    def watch(cls, stage: Scene, customer: str) -> Given:
        return cls(stage, [stage.fault(customer=customer, **call, delay=0) for call in OPENING_WRITES.values()])

    def count(self) -> list[int]:
        return [self.stage.hits(counter) for counter in self.counters]


@pytest.mark.parametrize("to", [FIRST, LAST], ids=["from the beginning", "from its last task"])
async def test_a_live_grant_that_is_reset_goes_on_and_lasts_no_longer(hours_pass: Scene, to: float) -> None:
    request_id = await hours_pass.ask(hours=1, held=True)
    before = await hours_pass.until(request_id, GrantState.OPEN)
    account = hours_pass.user()

    await reset(hours_pass, request_id, to)
    await sleeps(hours_pass, request_id)

    assert hours_pass.user() == account, "the same roles, the same pass, the same mark"
    await hours_pass.time_passes(request_id)
    receipt = await hours_pass.receipt(request_id)
    assert receipt.ending.state is GrantState.EXPIRED
    assert (receipt.opened_at, receipt.expires_at) == (before.opened_at, before.expires_at)
    assert receipt.lateness is not None
    assert receipt.lateness < ON_TIME
    hours_pass.assert_closed()


async def test_a_live_grant_that_was_asked_for_hours_ago_survives_a_reset(real_time: Scene) -> None:
    """Neither the request's signature nor the window in which it may be opened is fresh any more."""
    request_id = await real_time.ask(hours=4)
    before = await real_time.until(request_id, GrantState.OPEN)
    assert before.expires_at is not None
    await real_time.time_passes(request_id, hours=2)
    # A step that is done by then also tells the clock of activities what time it is.
    later = variant(real_time.app, clock=lambda: datetime.now(UTC) + timedelta(hours=2))
    await extend_access(operator("kim"), later, request_id, timedelta(hours=1), "more to do")

    await reset(real_time, request_id, FIRST)
    await sleeps(real_time, request_id)

    await real_time.time_passes(request_id)
    receipt = await real_time.receipt(request_id)
    assert receipt.ending.state is GrantState.EXPIRED
    assert receipt.expires_at == before.expires_at + timedelta(hours=1)
    real_time.assert_closed()


async def over(stage: Scene, customer: str, how: GrantState) -> str:
    """The id of a grant that is over in this way."""
    if how is GrantState.FAILED:
        refusal = stage.fault(customer=customer, **OPENING_WRITES["assign a role"], status=403)
        request_id = await stage.ask(customer=customer)
        await stage.until(request_id, GrantState.PARKED)
        await stage.time_passes(request_id)  # its window
        await stage.receipt(request_id)
        stage.release(refusal)
        return request_id
    hours = {GrantState.DENIED: 100, GrantState.EXPIRED: SHORTEST_HOURS}.get(how, 1)
    request_id = await stage.ask(customer=customer, hours=hours)
    if how in {GrantState.CANCELLED, GrantState.ENDED}:
        await stage.until(request_id, GrantState.OPEN)
        workflow = stage.workflow(request_id)
        await (workflow.cancel() if how is GrantState.CANCELLED else workflow.signal("end"))
    assert (await stage.receipt(request_id)).ending.state is how
    return request_id


@pytest.mark.parametrize(
    "to",
    [
        pytest.param(FIRST, id="from the beginning"),
        # Closes a second time, within the minute in which it is not believed that roles just given are gone.
        pytest.param(MIDST, id="from its midst", marks=pytest.mark.long),
        pytest.param(LAST, id="from its last task"),
    ],
)
async def test_nothing_that_has_ended_is_granted_again(services: Services, to: float) -> None:
    ways = [GrantState.EXPIRED, GrantState.ENDED, GrantState.CANCELLED, GrantState.DENIED, GrantState.FAILED]
    async with scene(services, customers=len(ways), skips_time=False) as stage:

        async def reset_after(how: GrantState, customer: str) -> None:
            request_id = await over(stage, customer, how)
            receipt, given = await stage.receipt(request_id), Given.watch(stage, customer)

            await reset(stage, request_id, to)

            assert await stage.receipt(request_id) == receipt, "a receipt is never changed"
            assert (await stage.workflow(request_id).describe()).status is not WorkflowExecutionStatus.RUNNING
            assert given.count() == [0] * len(OPENING_WRITES)
            if stage.user(customer=customer) is not None:
                stage.assert_closed(customer=customer)

        await asyncio.gather(*(reset_after(how, customer) for how, customer in zip(ways, stage.customers, strict=True)))


async def test_the_reset_of_an_old_grant_leaves_a_newer_one_alone(services: Services) -> None:
    """The reset grant ends a second time, and closes what it finds under the technician's name."""
    ways = [(GrantState.CANCELLED, FIRST), (GrantState.CANCELLED, LAST), (GrantState.ENDED, MIDST)]
    async with scene(services, customers=len(ways), skips_time=False) as stage:

        async def reset_beneath(customer: str, how: GrantState, to: float) -> None:
            old = await over(stage, customer, how)
            new = await stage.ask(customer=customer, hours=1)
            await stage.until(new, GrantState.OPEN)
            account = stage.user(customer=customer)

            await reset(stage, old, to)
            await stage.receipt(old)

            assert stage.user(customer=customer) == account
            await stage.workflow(new).signal("end")
            assert (await stage.receipt(new)).ending.state is GrantState.ENDED
            stage.assert_closed(customer=customer)

        await asyncio.gather(
            *(reset_beneath(customer, *way) for customer, way in zip(stage.customers, ways, strict=True))
        )


async def test_the_place_of_a_terminated_grant_stays_taken_until_a_reset_ends_it(real_time: Scene) -> None:
    """Terminate runs nothing more: the account is open, so nobody may be told that the technician has none."""
    request_id = await real_time.ask(hours=1)
    await real_time.until(request_id, GrantState.OPEN)
    await real_time.workflow(request_id).terminate("a wrong button")

    again = await real_time.receipt(await real_time.ask())
    assert again.ending.state is GrantState.DENIED
    assert request_id in again.decision
    user = real_time.user()
    assert user is not None
    assert user["enabled"]

    await reset(real_time, request_id, LAST)  # takes the termination back
    await real_time.workflow(request_id).signal("end")
    assert (await real_time.receipt(request_id)).ending.state is GrantState.ENDED
    real_time.assert_closed()
