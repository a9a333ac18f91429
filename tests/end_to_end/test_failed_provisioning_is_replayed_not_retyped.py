"""A failed grant is replayed by its id. Its request is not typed again.

After an outage of an hour there are dozens of failed grants. Typed again, one gets a wrong name, one is forgotten, one
is given twice, and no record says which request replaced which.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from entra_jit.operations.end_access import end_access
from entra_jit.operations.list_failures import Failure, Selection, list_failures
from entra_jit.operations.replay_provisioning import Replayed, replay_each, replay_provisioning
from entra_jit.policy.failures import FailureClass, Kind
from entra_jit.policy.replaying import Replay
from entra_jit.temporal.executions import look_at
from models.errors import RefusedError
from models.messages import FailureType, GrantState
from models.names import workflow_id
from tests.actors import TESTER, admin, operator
from tests.end_to_end.grant_calls import CLOSING_WRITES, OPENING_WRITES
from tests.end_to_end.provisioning_steps import STEPS
from tests.patience import eventually
from tests.stage import ELEVATE, Scene, Services, configure, scene, technician_id, variant

REFUSED_ROLE: dict[str, object] = {**STEPS["assign the directory role"], "app": ELEVATE, "status": 403}


async def failures(scene: Scene) -> dict[str, Failure]:
    """What needs somebody, by the grant's id."""
    listed = await list_failures(TESTER, scene.app, Selection())
    assert listed.unseen is None
    return {failure.request_id: failure for failure in listed.found}


async def replay(scene: Scene, request_id: str) -> Replayed:
    return await replay_provisioning(operator("kim"), scene.app, request_id)


async def failed(scene: Scene) -> str:
    """A grant that nobody mended within its window."""
    fault = scene.fault(**REFUSED_ROLE)
    request_id = await scene.ask(hours=2)
    assert (await scene.receipt(request_id)).ending.state is GrantState.FAILED
    scene.release(fault)
    return request_id


async def test_what_has_failed_is_asked_anew_once(hours_pass: Scene) -> None:
    first = await failed(hours_pass)
    shown = (await failures(hours_pass))[first]
    assert (shown.state, shown.failure) == (GrantState.FAILED, FailureType.PERMANENT)
    assert shown.failure_class is FailureClass.TENANT_REFUSAL
    assert "could not assign the directory role" in shown.sentence

    both = await asyncio.gather(replay(hours_pass, first), replay(hours_pass, first))

    assert {replayed.replayed_as for replayed in both} == {f"{first}.r1"}
    again, before = await hours_pass.receipt(f"{first}.r1"), await hours_pass.receipt(first)
    assert again.ending.state is GrantState.EXPIRED
    assert again.opened_at is not None
    assert again.request.replay_of == first
    assert again.requested_by == operator("kim")
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
    assert (await hours_pass.receipt(f"{first}.r1")).ending.failure is FailureType.PERMANENT
    assert set(await failures(hours_pass)) == {f"{first}.r1"}, "one line, one failure"
    hours_pass.release(fault)
    # Alex has changed names, and somebody else is called alex now: the access is still for whom it was asked for.
    for name, now_called in (("robin", "somebody"), ("alex", "robin"), ("somebody", "alex")):
        hours_pass.sql("UPDATE technicians SET name = %s WHERE name = %s", now_called, name)

    # At the portal, where people ask for themselves alone: what was allowed before is no new access.
    replayed = await replay_provisioning(admin("dana"), hours_pass.app, first)

    assert replayed.replayed_as == f"{first}.r2"
    again = await hours_pass.receipt(f"{first}.r2")
    assert again.request.replay_of == f"{first}.r1"
    assert again.requested_by.is_same_as(admin("dana"))
    assert again.ending.state is GrantState.EXPIRED
    assert again.opened_at is not None
    assert (again.technician_id, again.account_name) == (technician_id("alex"), hours_pass.account("alex"))


async def test_a_replay_is_decided_by_todays_configuration(hours_pass: Scene) -> None:
    first = await failed(hours_pass)
    hours_pass.sql("UPDATE technicians SET active = false WHERE name = 'alex'")
    with pytest.raises(RefusedError, match="is no longer configured"):
        await replay(hours_pass, first)
    await configure(hours_pass, role_mappings=[])

    replayed = await replay(hours_pass, first)

    assert not replayed.goes_on
    assert "No role mapping" in replayed.sentence
    assert (await hours_pass.receipt(f"{first}.r1")).ending.state is GrantState.DENIED
    with pytest.raises(RefusedError, match="was denied"):
        await replay(hours_pass, first)


async def test_four_kinds_of_trouble_look_different_and_are_taken_up_together(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four different people have to act: who asked, the tenant's administrator, nobody but Microsoft, and we."""
    async with scene(services, customers=5, skips_time=False) as stage:
        refusing, failing, babbling, federated, clinging = stage.customers
        held = await stage.ask(customer=clinging)
        await stage.until(held, GrantState.OPEN)
        sessions = stage.fault(customer=clinging, **CLOSING_WRITES["revoke the sessions"], status=503, retry_after=280)
        await end_access(operator("kim"), stage.app, held)
        stage.fault(customer=refusing, **REFUSED_ROLE)
        stage.fault(customer=failing, **OPENING_WRITES["create the account"], status=503, retry_after=280)
        stage.fault(customer=babbling, path="/organization", body="empty")
        domain = f"/tenants/{federated}/domains/{federated}.onmicrosoft.com"
        stage.control("POST", domain, authentication_type="Federated")
        asked = {customer: await stage.ask(customer=customer) for customer in stage.customers[:4]}
        asked[clinging] = held

        expected = {
            refusing: (GrantState.PARKED, FailureClass.TENANT_REFUSAL),
            failing: (GrantState.PREPARING, FailureClass.MICROSOFT_OUTAGE),
            babbling: (GrantState.PARKED, FailureClass.OUR_BUG),
            federated: (GrantState.DENIED, FailureClass.BAD_INPUT),
            clinging: (GrantState.CLOSING, FailureClass.MICROSOFT_OUTAGE),
        }

        async def as_expected() -> dict[str, Failure] | None:
            found = await failures(stage)
            seen = {failure.tenant: (failure.state, failure.failure_class) for failure in found.values()}
            return found if seen == expected else None

        shown = await eventually(as_expected)
        for customer, step in ((failing, "ready"), (clinging, "close")):
            (waiting,) = shown[asked[customer]].steps
            assert (waiting.name, waiting.next_try is None) == (step, False)

        # Asked for by tenant, type or class; and as far as the ledger knows, while Temporal is away.
        for selection, found in (
            (Selection(tenant=failing), {failing}),
            (Selection(kind=Kind.parse("PermanentError")), {refusing}),
            (Selection(kind=Kind.parse("our-bug")), {babbling}),
            (Selection(since=timedelta(0)), set(asked) - {federated}),
        ):
            listed = await list_failures(TESTER, stage.app, selection)
            assert {failure.tenant for failure in listed.found} == found
        monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
        partly = await list_failures(TESTER, variant(stage.app, client=None), Selection())
        assert {failure.tenant for failure in partly.found} == {refusing, babbling, federated}
        assert partly.unseen is not None
        assert "Temporal at 127.0.0.1:1 cannot be reached" in partly.unseen

        # What the closing has noted is what it goes on from, however often its wait is ended.
        noted = await removed_so_far(stage, held)
        assert noted
        assert (await replay(stage, held)).how is Replay.TRY_NOW

        async def tried_again_and_waits() -> bool | None:
            steps = (await look_at(stage.services.client, workflow_id(held))).steps
            return (stage.hits(sessions) > 1 and any(step.is_waiting for step in steps)) or None

        await eventually(tried_again_and_waits)
        assert await removed_so_far(stage, held) == noted

        stage.mend()
        done = {one.request_id: one async for one in replay_each(operator("kim"), stage.app, asked.values())}

        assert {customer: done[asked[customer]].how for customer in asked} == {
            refusing: Replay.RETRY,
            failing: Replay.TRY_NOW,
            babbling: Replay.RETRY,
            federated: None,
            clinging: Replay.TRY_NOW,
        }
        assert [customer for customer in asked if not done[asked[customer]].goes_on] == [federated]
        assert "was denied. Request again" in done[asked[federated]].sentence
        receipt = await stage.receipt(held)
        assert receipt.ending.state is GrantState.ENDED
        by_hand = {step.note for step in receipt.steps if step.name == "tried now"}
        assert by_hand == {"close, by kim"}
        stage.assert_closed(customer=clinging)
        for customer in (refusing, failing, babbling):
            await stage.until(asked[customer], GrantState.OPEN)
        with pytest.raises(RefusedError, match="is open; nothing has failed"):
            await replay(stage, asked[failing])


async def removed_so_far(stage: Scene, request_id: str) -> list[str]:
    """The role assignments whose removal the stripping of the account has noted."""
    described = (await stage.workflow(request_id).describe()).raw_description
    (pending,) = described.pending_activities
    noted: list[list[str]] = await stage.services.client.data_converter.decode(pending.heartbeat_details.payloads)
    return noted[0]


@pytest.mark.long
async def test_an_opening_still_on_its_way_is_waited_for_though_its_step_was_tried_anew(real_time: Scene) -> None:
    """Attempts count from one again: the step must not take itself for the only try, and call the account closed."""
    real_time.fault(**OPENING_WRITES["enable"], delay=14, count=1)  # its caller gives up after 5 seconds
    refused = real_time.fault(**OPENING_WRITES["enable"], status=503, retry_after=280, count=1)
    request_id = await real_time.ask()
    await real_time.reached(refused)

    async def tried() -> bool | None:
        return "open" in (await replay(real_time, request_id)).sentence or None

    await eventually(tried)
    await real_time.until(request_id, GrantState.OPEN)
    await end_access(operator("kim"), real_time.app, request_id)

    assert (await real_time.receipt(request_id)).ending.state is GrantState.ENDED
    await asyncio.sleep(12)
    real_time.assert_closed()
