"""Temporal's own command line can do what `starter.py replay` does, and its buttons harm nothing.

At night an operator may have the Temporal UI and not our command line. A tool that does less than ours, or more than
it says, makes the outage longer; a reset that forgets what an earlier try began opens an account after its proof.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE

from entra_jit.operations.end_access import end_access
from entra_jit.operations.list_failures import Failure, Selection, list_failures
from entra_jit.temporal.executions import PendingStep, look_at
from models.messages import GrantState
from models.names import workflow_id
from tests.actors import TESTER, operator
from tests.end_to_end.grant_calls import CLOSING_WRITES, OPENING_WRITES
from tests.patience import eventually
from tests.stage import ELEVATE, Scene, Services, scene, temporal_program, variant

REFUSED_ROLE: dict[str, object] = {**OPENING_WRITES["assign a role"], "app": ELEVATE, "status": 403}


async def temporal(stage: Scene, *arguments: str) -> None:
    """Have Temporal's own command line do something; a batch, once there is no other: Temporal does one at a time."""
    address = stage.services.client.service_client.config.target_host

    async def accepted() -> bool | None:
        command = (temporal_program(), *arguments, "--address", address)
        process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=PIPE)
        _, err = await process.communicate()
        if b"Max concurrent batch operations" in err:
            return None
        assert process.returncode == 0, err.decode()
        return True

    await eventually(accepted)


async def test_temporals_command_line_replays_one_or_many(services: Services) -> None:
    async with scene(services, customers=3, skips_time=False) as stage:
        alone, together, waiting = stage.customers
        for customer in (alone, together):
            stage.fault(customer=customer, **REFUSED_ROLE)
        stage.fault(customer=waiting, **OPENING_WRITES["create the account"], status=503, retry_after=280)
        asked = {customer: await stage.ask(customer=customer) for customer in stage.customers}
        for customer in (alone, together):
            await stage.until(asked[customer], GrantState.PARKED)
        await waits(stage, asked[waiting])
        # A parked grant that is reset stays parked, and hears the retry all the same.
        await temporal(
            stage, "workflow", "reset", "-w", f"grant/{asked[alone]}", "-t", "LastWorkflowTask", "--reason", "a slip"
        )
        stage.mend()

        await temporal(stage, "workflow", "signal", "-w", f"grant/{asked[alone]}", "--name", "retry")
        parked = f'GrantState = "parked" AND Tenant = "{together}"'
        await temporal(stage, "workflow", "signal", "--query", parked, "--name", "retry", "--reason", "mended", "--yes")
        preparing = f'GrantState = "preparing" AND Tenant = "{waiting}"'
        await temporal(stage, "activity", "reset", "--query", preparing, "--reason", "it is over", "--yes")

        for customer in stage.customers:
            await stage.until(asked[customer], GrantState.OPEN)

        # The one button that harms is seen at once: nobody else would look at this grant before its expiry.
        await temporal(stage, "workflow", "terminate", "-w", f"grant/{asked[alone]}", "--reason", "a slip")

        async def seen() -> list[Failure] | None:
            return (await list_failures(TESTER, stage.app, Selection())).found or None

        [gone] = await eventually(seen)
        assert (gone.request_id, gone.state) == (asked[alone], GrantState.OPEN)
        assert "Its workflow is gone" in gone.sentence
        stage.sql("UPDATE grants SET expires_at = now() - interval '2 minutes' WHERE request_id = %s", asked[waiting])
        overdue = (await list_failures(TESTER, variant(stage.app, client=None), Selection(tenant=waiting))).found
        assert ["Closing has not started" in failure.sentence for failure in overdue] == [True]


async def waits(stage: Scene, request_id: str) -> PendingStep:
    """The step of the grant that waits for its next try."""

    async def found() -> PendingStep | None:
        steps = (await look_at(stage.services.client, workflow_id(request_id))).steps
        return next((step for step in steps if step.next_try), None)

    return await eventually(found)


async def test_a_closing_that_is_reset_or_paused_in_the_middle_closes_all_the_same(real_time: Scene) -> None:
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    real_time.fault(**CLOSING_WRITES["revoke the sessions"], status=503, retry_after=280)
    slow = real_time.hold(**CLOSING_WRITES["disable"])
    await end_access(operator("kim"), real_time.app, request_id)
    await real_time.reached(slow)
    workflow = ("-w", f"grant/{request_id}")
    client = real_time.services.client
    for step in (
        await client.get_workflow_handle(workflow_id(request_id)).describe()
    ).raw_description.pending_activities:
        await temporal(real_time, "activity", "reset", *workflow, "--activity-id", step.activity_id)
    stripping = await waits(real_time, request_id)
    await temporal(real_time, "activity", "pause", *workflow, "--activity-id", stripping.id, "--reason", "a slip")
    [shown] = (await list_failures(TESTER, real_time.app, Selection())).found
    assert [(step.name, step.paused) for step in shown.steps] == [("close", True)]
    real_time.mend()

    await temporal(real_time, "activity", "unpause", *workflow, "--activity-id", stripping.id)

    assert (await real_time.receipt(request_id)).ending.state is GrantState.ENDED
    real_time.assert_closed()
