"""What failed is taken up again by its id, and never typed anew.

After an outage of an hour there are dozens of failed grants. Whoever types them again mistypes one, forgets one, and
gives one twice; and nobody can say afterwards which request made up for which.
"""

from __future__ import annotations

import asyncio

import pytest

from models.messages import FailureType, GrantState
from operations.end_access import end_access
from operations.errors import RefusedError
from operations.list_failures import Failure, Selection, list_failures
from operations.replay_provisioning import Replayed, replay_each, replay_provisioning
from policy.failures import FailureClass
from policy.replaying import Replay
from tests.end_to_end.grant_calls import OPENING_WRITES
from tests.end_to_end.provisioning_steps import STEPS
from tests.stage import ELEVATE, Scene, configure, eventually

REFUSED_ROLE: dict[str, object] = {**STEPS["assign the directory role"], "app": ELEVATE, "status": 403}


async def failures(scene: Scene) -> dict[str, Failure]:
    """What needs somebody, by the grant's id."""
    listed = await list_failures(scene.deployment, Selection())
    assert listed.unseen is None
    return {failure.request_id: failure for failure in listed.found}


async def replay(scene: Scene, request_id: str) -> Replayed:
    return await replay_provisioning(scene.deployment, "kim", request_id)


async def failed(scene: Scene) -> str:
    """A grant that nobody mended within its window."""
    fault = scene.fault(**REFUSED_ROLE)
    request_id = await scene.ask(hours=2)
    assert (await scene.receipt(request_id)).ending.state is GrantState.FAILED
    scene.control("DELETE", f"/faults/{fault}")
    return request_id


async def test_what_has_failed_is_asked_anew_once(hours_pass: Scene) -> None:
    first = await failed(hours_pass)
    shown = (await failures(hours_pass))[first]
    assert (shown.state, shown.failure) == (GrantState.FAILED, FailureType.REFUSED)
    assert shown.failure_class is FailureClass.TENANT_REFUSAL
    assert "could not assign the directory role" in shown.sentence

    both = await asyncio.gather(replay(hours_pass, first), replay(hours_pass, first))

    assert {replayed.replayed_as for replayed in both} == {f"{first}.r1"}
    again, before = await hours_pass.receipt(f"{first}.r1"), await hours_pass.receipt(first)
    assert again.ending.state is GrantState.EXPIRED
    assert again.opened_at is not None
    assert again.request.replay_of == first
    assert again.requested_by == "kim"
    repeated = {"tenant", "technician", "reason", "ticket", "duration"}
    assert again.request.model_dump(include=repeated) == before.request.model_dump(include=repeated)
    assert hours_pass.sql("SELECT id FROM requests WHERE replay_of = %s", first) == [(f"{first}.r1",)]
    assert (await hours_pass.status(f"{first}.r1")).replay_of == first
    assert await failures(hours_pass) == {}, "what was made up for needs nobody"
    with pytest.raises(RefusedError, match=rf"{first}.r1 was open until its expiry"):
        await replay(hours_pass, first)
    assert before == await hours_pass.receipt(first)


async def test_what_fails_again_is_replayed_by_any_name_of_its_line(hours_pass: Scene) -> None:
    first = await failed(hours_pass)
    fault = hours_pass.fault(**REFUSED_ROLE)
    await replay(hours_pass, first)
    assert (await hours_pass.receipt(f"{first}.r1")).ending.failure is FailureType.REFUSED
    assert set(await failures(hours_pass)) == {f"{first}.r1"}, "one line, one failure"
    hours_pass.control("DELETE", f"/faults/{fault}")

    replayed = await replay(hours_pass, first)

    assert replayed.replayed_as == f"{first}.r2"
    again = await hours_pass.receipt(f"{first}.r2")
    assert again.request.replay_of == f"{first}.r1"
    assert again.ending.state is GrantState.EXPIRED
    assert again.opened_at is not None


async def test_a_replay_is_decided_by_todays_configuration(hours_pass: Scene) -> None:
    first = await failed(hours_pass)
    await configure(hours_pass, role_mappings=[])

    replayed = await replay(hours_pass, first)

    assert not replayed.goes_on
    assert "No role mapping" in replayed.sentence
    assert (await hours_pass.receipt(f"{first}.r1")).ending.state is GrantState.DENIED
    with pytest.raises(RefusedError, match="what is denied is not replayed: ask anew"):
        await replay(hours_pass, first)


async def test_what_is_parked_or_waits_long_is_tried_now(real_time: Scene) -> None:
    """Also: the four kinds of trouble look different, because four different people have to act."""
    real_time.fault(**REFUSED_ROLE)
    parked = await real_time.ask()
    await real_time.until(parked, GrantState.PARKED)
    real_time.fault(method="POST", path="/users", status=503, retry_after=280)
    waiting = await real_time.ask("robin")

    async def waits() -> Failure | None:
        return (await failures(real_time)).get(waiting)

    shown = await eventually(waits)
    assert (shown.state, shown.failure_class) == (GrantState.PREPARING, FailureClass.MICROSOFT_OUTAGE)
    assert [step.name for step in shown.steps] == ["prepare_account"]
    assert shown.steps[0].next_try is not None
    everything = await failures(real_time)
    assert everything[parked].failure_class is FailureClass.TENANT_REFUSAL
    real_time.mend()

    done = {one.request_id: one async for one in replay_each(real_time.deployment, "kim", everything)}

    assert {request_id: one.how for request_id, one in done.items()} == {parked: Replay.RETRY, waiting: Replay.TRY_NOW}
    for request_id in (parked, waiting):
        await real_time.until(request_id, GrantState.OPEN)
        with pytest.raises(RefusedError, match="is open: nothing of it has failed"):
            await replay(real_time, request_id)
        await end_access(real_time.deployment, "kim", request_id)
    for request_id in (parked, waiting):
        assert (await real_time.receipt(request_id)).ending.state is GrantState.ENDED


async def test_an_opening_still_on_its_way_is_waited_for_though_its_step_was_tried_anew(real_time: Scene) -> None:
    """Attempts count from one again: the step must not take itself for the only try, and call the account closed."""
    real_time.fault(**OPENING_WRITES["enable"], delay=14, count=1)  # its caller gives up after 5 seconds
    refused = real_time.fault(**OPENING_WRITES["enable"], status=503, retry_after=280, count=1)
    request_id = await real_time.ask()
    await real_time.reached(refused)

    async def tried() -> bool | None:
        return "open_account" in (await replay(real_time, request_id)).sentence or None

    await eventually(tried)
    await real_time.until(request_id, GrantState.OPEN)
    await end_access(real_time.deployment, "kim", request_id)

    assert (await real_time.receipt(request_id)).ending.state is GrantState.ENDED
    await asyncio.sleep(12)
    real_time.assert_closed()
