"""An end or a cancellation counts even if it reaches the workflow in the same task as an activity's answer.

Cancelling a coroutine whose activity has just been answered has no effect: the answer won, and a grant that had been
ended stayed open for its full hours.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.worker import Worker

from activities.deciding import DecidingActivities
from activities.failures import FailureInterceptor
from entra_jit.operations.cancel_access import cancel_access
from entra_jit.operations.end_access import end_access
from models.messages import GrantState
from tests.actors import TESTER
from tests.patience import eventually
from tests.stage import Scene, Services, scene
from worker import activities_of
from workflows.access_grant import AccessGrant

pytestmark = pytest.mark.spine


@pytest.mark.parametrize("ending", [GrantState.ENDED, GrantState.CANCELLED])
async def test_it_is_not_lost(services: Services, ending: GrantState) -> None:
    async with scene(services, customers=1, skips_time=False, worker=False) as act:
        with_activities = Worker(
            services.client,
            task_queue=act.settings.task_queue,
            activities=activities_of(act.app),
            interceptors=[FailureInterceptor()],
        )
        async with with_activities:
            opening = act.hold(method="PATCH", path="/users/*", body_contains="accountEnabled")
            async with _with_workflows(act):
                request_id = await act.ask()
                await eventually(lambda: _is_armed(act, request_id))
            # Nobody takes workflow tasks now: the opening's answer and the ending wait together for the next worker.
            act.release(opening)
            await act.until(request_id, GrantState.OPEN)
            if ending is GrantState.ENDED:
                await end_access(TESTER, act.app, request_id)
            else:
                await cancel_access(TESTER, act.app, request_id)
            async with _with_workflows(act):
                receipt = await act.receipt(request_id)
        assert (receipt.ending.state, receipt.ending.by) == (ending, TESTER)
        act.assert_closed()


async def _is_armed(act: Scene, request_id: str) -> bool | None:
    return (await act.status(request_id)).expires_at is not None or None


def _with_workflows(act: Scene) -> Worker:
    deciding = DecidingActivities(act.app)
    return Worker(
        act.services.client,
        task_queue=act.settings.task_queue,
        workflows=[AccessGrant],
        activities=[deciding.decide, deciding.arm],  # the local ones; the others are the other worker's
        no_remote_activities=True,
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        interceptors=[FailureInterceptor()],
    )
