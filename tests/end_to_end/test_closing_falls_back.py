"""What was opened is closed on time although the application that closes was lost meanwhile.

That the closing was tried before the opening says nothing about four hours later: a secret expires, an administrator
switches the application off. The elevating application can do most of what closing takes, and does it.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from entra_jit.operations.close_all import close_all
from entra_jit.operations.list_alarms import list_alarms
from models.alarms import Alarm, AlarmKind
from models.messages import GrantState
from tests.actors import TESTER, operator
from tests.end_to_end.grant_calls import CLOSING_CALLS
from tests.end_to_end.reconciler import reconciled, reconciled_once
from tests.end_to_end.revoking_application import LOSSES, Loss, restarted
from tests.patience import eventually
from tests.stage import ELEVATE, ON_TIME, REVOKE, Scene

SIGN_IN = "get a token from the sign-in service"


async def refused(act: Scene) -> dict[str, Alarm]:
    """The alarms that the elevating application closes, by what the revoking one is refused."""
    standing = await list_alarms(TESTER, act.app, tenant=act.customer)
    found = [alarm for alarm in standing if alarm.kind is AlarmKind.REVOKING_REFUSED]
    return {alarm.subject.removeprefix(f"{act.customer}: "): alarm for alarm in found}


async def told(act: Scene, loss: Loss) -> list[Alarm]:
    """The alarms that such a loss raises.

    One that keeps signing in is refused at least one of these. All are asked for at the same time as the account's
    roles are taken, and once those are gone the revoking application may do the rest.
    """
    purposes = {SIGN_IN}
    if loss.keeps_signing_in:
        purposes = {"disable the account", "set the account's password", "revoke the account's sessions"}
    return [alarm for purpose, alarm in (await refused(act)).items() if purpose in purposes]


@pytest.mark.parametrize("how", LOSSES)
async def test_the_elevating_application_closes_on_time(hours_pass: Scene, how: str) -> None:
    loss = LOSSES[how]
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    loss.lose(hours_pass)
    before = len(hours_pass.journal())
    async with restarted(hours_pass):
        await hours_pass.time_passes(request_id)

        receipt = await hours_pass.receipt(request_id)
        hours_pass.assert_closed()
        assert receipt.ending.state is GrantState.EXPIRED
        assert receipt.standing is not None
        assert receipt.standing.is_closed
        assert receipt.lateness is not None
        assert receipt.lateness < ON_TIME
        writes = [one for one in hours_pass.journal()[before:] if one["effect"]]
        assert ELEVATE in {one["app_id"] for one in writes}
        assert any(loss.says in alarm.sentence for alarm in await told(hours_pass, loss))


@pytest.mark.parametrize("how", ["switched off", "directory role taken"])
async def test_the_alarm_ends_when_the_revoking_application_has_done_it_again(real_time: Scene, how: str) -> None:
    loss = LOSSES[how]
    request_id = await real_time.ask(hours=1)
    await real_time.until(request_id, GrantState.OPEN)
    loss.lose(real_time)
    async with restarted(real_time):
        await real_time.workflow(request_id).signal("end")
        assert (await real_time.receipt(request_id)).ending.state is GrantState.ENDED
        await reconciled(real_time)
        assert await told(real_time, loss)

        loss.mend(real_time)
        if loss.keeps_signing_in:
            # That it can read everything is no all-clear: what it was refused it does when it closes.
            await reconciled(real_time)
            assert await told(real_time, loss)
            again = await real_time.ask(hours=1)
            await real_time.until(again, GrantState.OPEN)
            await real_time.workflow(again).signal("end")
            await real_time.receipt(again)

        async def over() -> bool | None:
            await reconciled(real_time)
            return True if not await refused(real_time) else None

        await eventually(over)


@pytest.mark.parametrize("how", ["switched off", "directory role taken"])
async def test_the_reconciler_closes_with_the_elevating_application(real_time: Scene, how: str) -> None:
    loss = LOSSES[how]
    request_id = await real_time.ask(hours=1)
    await real_time.until(request_id, GrantState.OPEN)
    await real_time.workflow(request_id).terminate("by hand")
    loss.lose(real_time)
    async with restarted(real_time):
        report = await reconciled(real_time, later=timedelta(hours=1, minutes=2))
        assert report.closed
        real_time.assert_closed()
        await real_time.app.revoking.recorded()
        assert await told(real_time, loss)


async def test_the_emergency_stop_closes_with_the_elevating_application(real_time: Scene) -> None:
    request_id = await real_time.ask(hours=1)
    await real_time.until(request_id, GrantState.OPEN)
    LOSSES["switched off"].lose(real_time)
    async with restarted(real_time):
        await close_all(operator("an operator"), real_time.app, reason="a drill")
        real_time.assert_closed()
        await real_time.app.revoking.recorded()
        assert SIGN_IN in await refused(real_time)


@pytest.mark.exact("counts the tries that it makes fail")
async def test_what_neither_application_may_do_is_tried_until_one_may(hours_pass: Scene) -> None:
    """The account is disabled at once all the same, and nothing is called proven before."""
    request_id = await hours_pass.ask(held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    hours_pass.fault(app=REVOKE, **CLOSING_CALLS["disable"], status=403)
    both = hours_pass.fault(**CLOSING_CALLS["methods deleted"], status=403)
    await hours_pass.time_passes(request_id, hours=4.05)

    user = hours_pass.user()
    assert user is not None
    assert not user["enabled"]
    assert user["methods"] or user["temporary_access_pass"]
    assert (await hours_pass.status(request_id)).state is GrantState.CLOSING
    assert hours_pass.hits(both) > 2
    assert set(await refused(hours_pass)) == {"disable the account"}, "what is refused to both is another matter"
    hours_pass.mend()
    await hours_pass.time_passes(request_id)
    receipt = await hours_pass.receipt(request_id)
    assert receipt.standing is not None
    assert receipt.standing.is_closed
    assert receipt.lateness is not None
    assert receipt.lateness < ON_TIME
    hours_pass.assert_closed()


async def test_without_either_application_nothing_can_be_closed_and_people_are_told(real_time: Scene) -> None:
    for app in (ELEVATE, REVOKE):
        real_time.control("POST", f"/tenants/{real_time.customer}", service_principals=[{"app": app, "enabled": False}])
    assert (await reconciled_once(real_time)).failed
    [alarm] = await list_alarms(TESTER, real_time.app)
    assert alarm.kind is AlarmKind.CREDENTIAL_DEAD
