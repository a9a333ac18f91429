"""An account is opened only after the application that closes has shown that it can close it.

Two applications sign in to a tenant, one to open and one to close. Where the closing one has expired, was switched off
or has lost what it needs, everything up to the opening works, and the account stays enabled long after its expiry.
"""

from __future__ import annotations

import pytest

from activities.provisioning import ProvisioningActivities
from entra_jit.operations.end_access import end_access
from entra_jit.operations.retry_provisioning import retry_provisioning
from entra_jit.operations.show_status import show_progress
from models.messages import GrantRef, GrantState
from tests.actors import TESTER, operator
from tests.end_to_end.grant_calls import CLOSING_WRITES, OPENING_WRITES
from tests.end_to_end.revoking_application import LOSSES, restarted
from tests.stage import ELEVATE, REVOKE, Scene

A_FEW_MINUTES = 0.1


@pytest.mark.parametrize("how", LOSSES)
async def test_the_grant_is_parked_until_the_closing_application_is_mended(hours_pass: Scene, how: str) -> None:
    loss = LOSSES[how]
    loss.lose(hours_pass)
    enabling = hours_pass.fault(**OPENING_WRITES["enable"], delay=0)
    request_id = await hours_pass.ask(held=True)
    await hours_pass.time_passes(request_id, A_FEW_MINUTES)  # of which the closing may need some

    parked = await hours_pass.until(request_id, GrantState.PARKED)
    assert "is not opened, because the revoking application could not close it again" in parked.sentence
    assert loss.says in parked.sentence
    assert hours_pass.hits(enabling) == 0, "it was opened"
    hours_pass.assert_closed()

    loss.mend(hours_pass)
    async with restarted(hours_pass):
        await retry_provisioning(operator("kim"), hours_pass.app, request_id)
        await hours_pass.until(request_id, GrantState.OPEN)
        await end_access(operator("kim"), hours_pass.app, request_id)
        await hours_pass.time_passes(request_id)
        assert (await hours_pass.receipt(request_id)).ending.state is GrantState.ENDED
        hours_pass.assert_closed()


async def test_each_opening_has_the_evidence_among_its_steps(hours_pass: Scene) -> None:
    for _ in range(2):  # the account is made, and is found
        request_id = await hours_pass.ask(held=True)
        await hours_pass.until(request_id, GrantState.OPEN)
        done = {step.name: step for step in (await show_progress(TESTER, hours_pass.app, request_id)).steps}
        user = hours_pass.user()
        assert user is not None
        [call] = done["closing tried"].calls
        assert (call.method, call.path, call.status) == ("PATCH", f"/users/{user['id']}", 204)
        made = [one for one in hours_pass.journal() if one["request_id"] == call.request_id]
        assert [one["app_id"] for one in made] == [REVOKE]
        assert done["access given"].at <= done["closing tried"].at <= done["opened"].at
        await hours_pass.time_passes(request_id)
        hours_pass.assert_closed()


@pytest.mark.exact("counts the calls that it makes fail")
async def test_an_account_too_new_to_be_seen_is_tried_again(hours_pass: Scene) -> None:
    unseen = hours_pass.fault(app=REVOKE, **CLOSING_WRITES["disable"], status=404, count=2)
    request_id = await hours_pass.ask(held=True)

    await hours_pass.until(request_id, GrantState.OPEN)

    assert hours_pass.hits(unseen) == 2
    await hours_pass.time_passes(request_id)
    hours_pass.assert_closed()


@pytest.mark.exact("ends the grant in the middle of one call")
@pytest.mark.parametrize("over", ["SET closing_at = now()", "SET expires_at = now() - interval '1 minute'"])
async def test_what_is_over_once_the_closing_was_tried_is_not_opened(real_time: Scene, over: str) -> None:
    """The admission is judged after the trial, which may take as long as Microsoft likes."""
    trial = real_time.hold(app=REVOKE, **CLOSING_WRITES["disable"])
    enabling = real_time.fault(app=ELEVATE, **OPENING_WRITES["enable"], delay=0)
    request_id = await real_time.ask(hours=1)
    await real_time.reached(trial)
    real_time.sql(f"UPDATE grants {over}")
    real_time.release(trial)

    assert (await real_time.receipt(request_id)).opened_at is None
    assert real_time.hits(enabling) == 0
    real_time.assert_closed()


@pytest.mark.exact("counts the tries")
async def test_an_opening_that_is_done_again_does_not_disturb_who_is_signed_in(real_time: Scene) -> None:
    """Its answer to Temporal is lost with its worker. The account is open by then, and disabling ends its sessions."""
    request_id = await real_time.ask(hours=1)
    await real_time.until(request_id, GrantState.OPEN)
    disabling = real_time.fault(**CLOSING_WRITES["disable"], delay=0)
    opening = ProvisioningActivities(real_time.app)
    again = await opening.open(GrantRef(request_id=request_id, attempt=1))

    assert again == (await real_time.status(request_id)).opened_at
    assert real_time.hits(disabling) == 0
    await real_time.workflow(request_id).signal("end")
    await real_time.receipt(request_id)
    real_time.assert_closed()
