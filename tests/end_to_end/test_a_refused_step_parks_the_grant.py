"""A step that Microsoft refuses for good closes what was begun, says what to mend, and waits.

Other products leave the half-made account behind as it is, retry for ever what can never succeed, or fail in a way
that only begins again from nothing: the operator who has consented to the missing permission must ask for everything
anew.
"""

from __future__ import annotations

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from entra_jit.operations.end_access import end_access
from entra_jit.operations.list_alarms import list_alarms
from entra_jit.operations.retry_provisioning import retry_provisioning
from models import search_attributes
from models.alarms import AlarmKind
from models.messages import GrantState
from tests.actors import TESTER, operator
from tests.end_to_end.provisioning_steps import NEEDS, STEPS
from tests.end_to_end.test_closing_goes_on_until_it_is_done import CLOSING
from tests.stage import ELEVATE, REVOKE, Scene, configure

A_FEW_MINUTES = 0.1


async def parked(scene: Scene, step: str, *, held: bool) -> str:
    """A grant that this step's refusal has parked, or, its time not being held, has failed at the end."""
    scene.fault(**STEPS[step], app=ELEVATE, status=403)
    return await scene.ask(held=held)


def assert_nothing_is_open(scene: Scene) -> None:
    """The account is closed, or was never made."""
    if scene.user() is not None:
        scene.assert_closed()


async def prepare(scene: Scene, step: str) -> None:
    if step == "set the account's password":
        await configure(scene, credential="password")


@pytest.mark.parametrize("step", STEPS)
async def test_what_was_mended_is_tried_again(hours_pass: Scene, step: str) -> None:
    await prepare(hours_pass, step)
    request_id = await parked(hours_pass, step, held=True)
    await hours_pass.time_passes(request_id, A_FEW_MINUTES)  # of which the closing may need some

    status = await hours_pass.until(request_id, GrantState.PARKED)
    assert f"could not {step}" in status.sentence
    assert NEEDS[step] in status.sentence
    assert "request-id" in status.sentence
    assert (await hours_pass.workflow(request_id).query("status"))["state"] == GrantState.PARKED
    assert_nothing_is_open(hours_pass)
    assert not hours_pass.sql("SELECT 1 FROM grants WHERE closing_at IS NULL"), "the fence stands meanwhile"

    # Retried without being mended it only parks again.
    await retry_provisioning(operator("kim"), hours_pass.app, request_id)
    await hours_pass.time_passes(request_id, A_FEW_MINUTES)
    assert hours_pass.sql("SELECT attempt FROM grants WHERE parked_at IS NOT NULL") == [(2,)]
    hours_pass.mend()
    await retry_provisioning(operator("kim"), hours_pass.app, request_id)

    opened = await hours_pass.until(request_id, GrantState.OPEN)
    user = hours_pass.user()
    assert user is not None
    assert user["enabled"]
    assert sorted(user["roles"]) == sorted(item.name for item in opened.access)
    await end_access(operator("kim"), hours_pass.app, request_id)
    await hours_pass.time_passes(request_id)
    receipt = await hours_pass.receipt(request_id)
    assert receipt.ending.state is GrantState.ENDED
    hours_pass.assert_closed()


@pytest.mark.parametrize("step", STEPS)
async def test_what_nobody_mends_fails_when_its_window_ends(hours_pass: Scene, step: str) -> None:
    await prepare(hours_pass, step)
    request_id = await parked(hours_pass, step, held=False)

    with pytest.raises(WorkflowFailureError) as failed:
        await hours_pass.workflow(request_id).result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "ProvisioningFailed"
    assert NEEDS[step] in failed.value.cause.message
    assert (await hours_pass.workflow(request_id).describe()).status is WorkflowExecutionStatus.FAILED
    receipt = await hours_pass.receipt(request_id)
    assert receipt.ending.state is GrantState.FAILED
    assert f"could not {step}" in receipt.ending.sentence
    assert receipt.opened_at is None
    assert_nothing_is_open(hours_pass)
    assert not hours_pass.sql("SELECT 1 FROM sealed_credentials")

    # The lock is released: mended, the technician gets in with the next request.
    hours_pass.mend()
    again = await hours_pass.ask()
    assert (await hours_pass.receipt(again)).ending.state is GrantState.EXPIRED
    hours_pass.assert_closed()


@pytest.mark.long
@pytest.mark.exact("counts the tries that it makes fail")
async def test_what_was_closed_late_and_is_parked_is_late_no_more(hours_pass: Scene) -> None:
    hours_pass.fault(app=REVOKE, **CLOSING["disable"], status=503, count=10)
    request_id = await parked(hours_pass, "assign the directory role", held=True)
    await hours_pass.time_passes(request_id, hours=0.5)
    await hours_pass.until(request_id, GrantState.PARKED)
    [late] = await list_alarms(TESTER, hours_pass.app, standing_only=False)
    assert (late.kind, late.all_clear) == (AlarmKind.CLOSING_LATE, "It is closed and parked.")
    shown = (await hours_pass.workflow(request_id).describe()).typed_search_attributes
    assert shown.get(search_attributes.GRANT_STATE) == GrantState.PARKED
    assert shown.get(search_attributes.ALARM) is None
