"""An operator pauses a tenant in trouble: nothing is opened there meanwhile, and everything closes as if nothing were.

A pause that also held the closings would turn the trouble of an hour into accounts that stay open for as long; one that
failed what it holds would have every technician ask anew.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from entra_jit.operations.end_access import end_access
from entra_jit.operations.extend_access import extend_access
from entra_jit.operations.list_grants import list_grants
from entra_jit.operations.pause_tenant import pause_tenant
from entra_jit.operations.request_access import request_access
from entra_jit.operations.resume_tenant import resume_tenant
from models.errors import RefusedError
from models.messages import FailureType, GrantState, GrantStatus
from tests.actors import TESTER, operator
from tests.end_to_end.reconciler import reconciled
from tests.patience import eventually
from tests.stage import TECHNICIANS, Scene, stage_clock, variant

WHY = "Microsoft is down there"


async def waits(act: Scene, request_id: str) -> GrantStatus:
    """Its status, once it says that it waits."""

    async def waiting() -> GrantStatus | None:
        listed = {status.request_id: status for status in await list_grants(TESTER, act.app)}
        status = listed.get(request_id)
        return status if status and "paused" in status.sentence else None

    return await eventually(waiting)


async def test_expiry_end_and_reconciler_close_in_a_paused_tenant(hours_pass: Scene) -> None:
    act = hours_pass
    ended, expired, terminated = opened = [await act.ask(who, hours=1, held=True) for who in TECHNICIANS]
    for request_id in opened:
        await act.until(request_id, GrantState.OPEN)
    await pause_tenant(operator("robin"), act.app, act.customer, WHY)

    with pytest.raises(RefusedError, match=f"paused since .* by robin: {WHY}. Nothing is extended"):
        await extend_access(TESTER, act.app, ended, timedelta(hours=1), "more to do")
    await end_access(operator("kim"), act.app, ended)
    await act.workflow(terminated).terminate("by hand")
    await asyncio.gather(act.time_passes(expired), act.receipt(ended))
    await reconciled(act, later=timedelta(hours=2))

    assert (await act.receipt(ended)).ending.state is GrantState.ENDED
    assert (await act.receipt(expired)).ending.state is GrantState.EXPIRED
    for technician in TECHNICIANS:
        act.assert_closed(act.account(technician))


async def test_what_is_asked_for_waits_and_goes_on_when_it_is_resumed(real_time: Scene) -> None:
    act = real_time
    await pause_tenant(operator("robin"), act.app, act.customer, WHY)
    request_id = await act.ask()

    status = await waits(act, request_id)
    assert status.state is GrantState.PREPARING, "it was decided as usual"
    assert f"by robin: {WHY}" in status.sentence
    assert (await act.status(request_id)).sentence == status.sentence
    steps = (await act.workflow(request_id).describe()).raw_description.pending_activities
    assert {step.last_failure.application_failure_info.type for step in steps} <= {FailureType.PAUSED, ""}
    assert not act.journal()

    assert await resume_tenant(operator("robin"), act.app, act.customer)
    assert not await resume_tenant(operator("robin"), act.app, act.customer)
    await act.until(request_id, GrantState.OPEN)


async def test_a_window_that_ends_in_a_pause_touches_nothing_and_says_so(hours_pass: Scene) -> None:
    act = hours_pass
    await pause_tenant(operator("robin"), act.app, act.customer, WHY)
    # Temporal skips no time while a step waits for its next attempt: the hour has nearly gone by when it begins.
    [on_time] = act.workers
    await act.stop_worker(on_time)
    nearly_an_hour_ago = variant(act.app, clock=lambda: stage_clock() - timedelta(minutes=59, seconds=40))
    late = await act.start_worker(nearly_an_hour_ago)
    request_id = await request_access(
        TESTER, nearly_an_hour_ago, tenant=act.customer, technician="alex", reason="a test"
    )
    receipt = await act.receipt(request_id)

    assert receipt.ending.state is GrantState.FAILED
    assert f"paused since {stage_clock():%Y}" in receipt.ending.sentence
    assert not act.journal(writes=True)
    assert act.user() is None
    await act.stop_worker(late)
    await act.start_worker()
    await resume_tenant(operator("robin"), act.app, act.customer)
    assert (await act.receipt(await act.ask())).ending.state is GrantState.EXPIRED, "the technician's place is free"
