"""What cannot be read opens nothing, and does not keep a grant from being ended.

A workflow task that fails is retried for ever: a grant that one unreadable message could wedge would stay open past its
expiry, deaf to Cancel.
"""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateFailedError

from models.messages import GrantState
from models.names import workflow_id
from tests.stage import Scene

GARBAGE = [{"request": {"tenant": 7}, "assertion": "none"}, "open, please", None, [1, 2]]


async def test_a_workflow_that_was_never_properly_asked_opens_nothing_and_ends(hours_pass: Scene) -> None:
    client, queue = hours_pass.services.skipper.client, hours_pass.settings.task_queue
    unasked = [
        await client.start_workflow("AccessGrant", id=workflow_id(f"unasked-{queue}"), task_queue=queue),
        *[
            await client.start_workflow(
                "AccessGrant",
                id=workflow_id(f"garbage-{number}-{queue}"),
                task_queue=queue,
                start_signal="request_access",
                start_signal_args=[garbage],
            )
            for number, garbage in enumerate(GARBAGE)
        ],
    ]
    ended = await client.start_workflow("AccessGrant", id=workflow_id(f"ended-{queue}"), task_queue=queue)
    await ended.signal("end")

    statuses = await asyncio.gather(*(workflow.result() for workflow in unasked))

    assert {status["state"] for status in statuses} == {GrantState.DENIED}
    assert (await ended.result())["state"] == GrantState.ENDED
    assert hours_pass.sql("SELECT count(*) FROM requests") == [(0,)]
    assert not hours_pass.journal()


async def test_unreadable_messages_do_not_keep_a_grant_from_being_ended(real_time: Scene) -> None:
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    grant = real_time.workflow(request_id)

    for signal in ("retry", "request_access", "no_such_signal"):
        await grant.signal(signal, "not an object")
        await grant.signal(signal, args=[{"by": "kim"}, 2, 3])
    await grant.signal("request_access")
    for garbage in (["for ever"], [], [1, 2, 3]):
        with pytest.raises(WorkflowUpdateFailedError):
            await grant.execute_update("extend", args=garbage)
    for superfluous in ([{}], [1, 2]):
        await grant.execute_update("decision", args=superfluous)
    assert (await real_time.status(request_id)).state is GrantState.OPEN

    await grant.signal("end")
    assert (await real_time.receipt(request_id)).ending.state is GrantState.ENDED
    assert (await grant.describe()).status is WorkflowExecutionStatus.COMPLETED
    real_time.assert_closed()
