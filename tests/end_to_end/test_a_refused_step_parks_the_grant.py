"""A step that Microsoft refuses for good closes what was begun, says what to mend, and waits.

Other products leave the half-made account behind as it is, retry for ever what can never succeed, or fail in a way
that only begins again from nothing: the operator who has consented to the missing permission must ask for everything
anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

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
from tests.end_to_end.grant_calls import CLOSING_CALLS
from tests.end_to_end.provisioning_steps import NEEDS, STEPS
from tests.stage import ELEVATE, REVOKE, Scene, Services, configure, scene

A_FEW_MINUTES = 0.1


PASSWORD = "set the account's password"

with_each_credential = pytest.mark.parametrize(
    ("configured", "steps"),
    [
        pytest.param({}, tuple(step for step in STEPS if step != PASSWORD), id="with a pass"),
        pytest.param({"credential": "password"}, (PASSWORD,), id="with a password"),
    ],
)


async def each_refused(
    services: Services,
    configured: dict[str, object],
    steps: Sequence[str],
    what: Callable[[Scene, str, str], Awaitable[None]],
) -> None:
    """Do ``what`` for each step, in a customer of its own."""

    async def one(stage: Scene, customer: str, step: str) -> None:
        try:
            await what(stage, customer, step)
        except Exception as error:
            error.add_note(f"where it was refused to {step}")
            raise

    async with scene(services, customers=len(steps), skips_time=True) as stage:
        await configure(stage, **configured)
        await asyncio.gather(*(one(stage, *case) for case in zip(stage.customers, steps, strict=True)))


def refuse(stage: Scene, step: str, customer: str | None = None) -> str:
    """Have this step refused; the fault."""
    return stage.fault(customer=customer, **STEPS[step], app=ELEVATE, status=403)


def assert_nothing_is_open(stage: Scene, customer: str) -> None:
    """The account is closed, or was never made."""
    if stage.user(customer=customer) is not None:
        stage.assert_closed(customer=customer)


@with_each_credential
async def test_what_was_mended_is_tried_again(
    services: Services, configured: dict[str, object], steps: Sequence[str]
) -> None:
    async def parks_and_is_retried(stage: Scene, customer: str, step: str) -> None:
        refused = refuse(stage, step, customer)
        request_id = await stage.ask(customer=customer, held=True)
        await stage.time_passes(request_id, A_FEW_MINUTES)  # of which the closing may need some

        status = await stage.until(request_id, GrantState.PARKED)
        assert f"could not {step}" in status.sentence
        assert NEEDS[step] in status.sentence
        assert "request-id" in status.sentence
        assert (await stage.workflow(request_id).query("status"))["state"] == GrantState.PARKED
        assert_nothing_is_open(stage, customer)
        fenced = "SELECT closing_at IS NOT NULL FROM grants WHERE request_id = %s"
        assert stage.sql(fenced, request_id) == [(True,)], "the fence stands meanwhile"

        # Retried without being mended it only parks again.
        await retry_provisioning(operator("kim"), stage.app, request_id)
        await stage.time_passes(request_id, A_FEW_MINUTES)
        tried = "SELECT attempt FROM grants WHERE parked_at IS NOT NULL AND request_id = %s"
        assert stage.sql(tried, request_id) == [(2,)]
        stage.release(refused)
        await retry_provisioning(operator("kim"), stage.app, request_id)

        opened = await stage.until(request_id, GrantState.OPEN)
        who = "SELECT actor ->> 'id' FROM events WHERE kind = 'retried' AND request_id = %s"
        assert stage.sql(who, request_id) == 2 * [(operator("kim").id,)]
        user = stage.user(customer=customer)
        assert user is not None
        assert user["enabled"]
        assert sorted(user["roles"]) == sorted(item.name for item in opened.access)
        await end_access(operator("kim"), stage.app, request_id)
        await stage.time_passes(request_id)
        receipt = await stage.receipt(request_id)
        assert receipt.ending.state is GrantState.ENDED
        stage.assert_closed(customer=customer)

    await each_refused(services, configured, steps, parks_and_is_retried)


@with_each_credential
async def test_what_nobody_mends_fails_when_its_window_ends(
    services: Services, configured: dict[str, object], steps: Sequence[str]
) -> None:
    async def parks_and_fails(stage: Scene, customer: str, step: str) -> None:
        refused = refuse(stage, step, customer)
        request_id = await stage.ask(customer=customer)

        with pytest.raises(WorkflowFailureError) as failed:
            await stage.workflow(request_id).result()

        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.type == "ProvisioningFailed"
        assert NEEDS[step] in failed.value.cause.message
        assert (await stage.workflow(request_id).describe()).status is WorkflowExecutionStatus.FAILED
        receipt = await stage.receipt(request_id)
        assert receipt.ending.state is GrantState.FAILED
        assert f"could not {step}" in receipt.ending.sentence
        assert receipt.opened_at is None
        assert_nothing_is_open(stage, customer)
        assert not stage.sql("SELECT 1 FROM sealed_credentials WHERE request_id = %s", request_id)

        # The lock is released: mended, the technician gets in with the next request.
        stage.release(refused)
        again = await stage.ask(customer=customer)
        assert (await stage.receipt(again)).ending.state is GrantState.EXPIRED
        stage.assert_closed(customer=customer)

    await each_refused(services, configured, steps, parks_and_fails)


@pytest.mark.long
@pytest.mark.exact("counts the tries that it makes fail")
async def test_what_was_closed_late_and_is_parked_is_late_no_more(hours_pass: Scene) -> None:
    hours_pass.fault(app=REVOKE, **CLOSING_CALLS["disable"], status=503, count=10)
    refuse(hours_pass, "assign the directory role")
    request_id = await hours_pass.ask(held=True)
    await hours_pass.time_passes(request_id, hours=0.5)
    await hours_pass.until(request_id, GrantState.PARKED)
    [late] = await list_alarms(TESTER, hours_pass.app, standing_only=False)
    assert (late.kind, late.all_clear) == (AlarmKind.CLOSING_LATE, "It is closed and parked.")
    shown = (await hours_pass.workflow(request_id).describe()).typed_search_attributes
    assert shown.get(search_attributes.GRANT_STATE) == GrantState.PARKED
    assert shown.get(search_attributes.ALARM) is None
