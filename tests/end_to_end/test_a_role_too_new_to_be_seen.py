"""A grant that is ended seconds after its roles and its pass were given, at replicas that have not heard of them.

Such a replica says "there is no such assignment" to the removal and lists none: a closing that believed it was proven,
and the roles appeared on the account afterwards.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.closing import ClosingActivities
from entra_jit.ledger import grants, requests
from entra_jit.ledger.rows import as_grant
from models.errors import ReadBackDisagreesError
from models.messages import AccountToClose, GrantState
from tests.end_to_end.grant_calls import OPENING_WRITES
from tests.end_to_end.misbehaving import Misbehaving, open_for_everything
from tests.end_to_end.tries import Tries
from tests.patience import eventually
from tests.stage import Scene, configure, stage_clock

ROLES = 2
HOUR = timedelta(hours=1)


async def _account(act: Scene, request_id: str, given: timedelta) -> AccountToClose:
    async with act.app.ledger.transaction() as session:
        request, row = await requests.by_id(session, request_id), await grants.by_id(session, request_id)
    assert request is not None
    assert row is not None
    user = act.user()
    assert user is not None
    return AccountToClose(grant=as_grant(request, row), object_id=user["id"], access_given_at=stage_clock() - given)


async def test_its_absence_is_not_believed_until_all_have_heard_of_it(real_time: Scene) -> None:
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    close, tries = ClosingActivities(real_time.app).close, Tries(stage_clock())
    roles = len((await real_time.status(request_id)).access)
    fresh = await _account(real_time, request_id, -HOUR)  # too new, however long this takes

    real_time.fault(method="DELETE", path="/roleManagement/directory/roleAssignments/*", status=404, count=roles)
    with pytest.raises(ReadBackDisagreesError, match="too new"):
        await tries.run(close, fresh)
    assert real_time.user()["roles"]  # type: ignore[index]

    # Seen once, and removed: now it is believed.
    await tries.run(close, fresh)
    assert not real_time.user()["roles"]  # type: ignore[index]
    # Long after it was given, everybody has heard of it.
    await ActivityEnvironment().run(close, await _account(real_time, request_id, real_time.app.roles_known_after))


async def test_a_grant_that_is_stopped_half_way_waits_for_the_roles_that_it_gave(real_time: Scene) -> None:
    """The step that gives roles has been told of no success yet, or never will be."""
    real_time.trouble(lag={"roles": (3, 3)})
    refused = real_time.fault(**OPENING_WRITES["make the pass"], status=503)
    request_id = await real_time.ask()

    async def given() -> bool | None:
        return len((real_time.user() or {"roles": ()})["roles"]) == ROLES or None

    await asyncio.gather(eventually(given), real_time.reached(refused))
    await real_time.workflow(request_id).cancel()

    receipt = await real_time.receipt(request_id)

    assert receipt.ending.state is GrantState.CANCELLED
    real_time.assert_closed()


@pytest.mark.exact("a person does not repeat what a late replica refuses")
async def test_a_role_that_nobody_has_used_in_the_tenant_is_given(real_time: Scene) -> None:
    """It is not among the roles that are active there, which other products look it up in."""
    first = await open_for_everything(real_time)
    with await Misbehaving.signed_in(real_time, first) as alex:
        active = {role["displayName"] for role in alex.call("GET", "/directoryRoles")["value"]}
    unused = "Attribute Log Reader"
    assert active
    assert unused not in active
    await configure(real_time, role_mappings=({"group": "all-technicians", "roles": [unused]},))
    request_id = await real_time.ask("robin")
    await real_time.until(request_id, GrantState.OPEN)
    assert (real_time.user(real_time.account("robin")) or {})["roles"] == [unused]


async def test_a_pass_that_is_listed_nowhere_yet_is_deleted(real_time: Scene) -> None:
    """It would open the account for hours, if the account were ever enabled by hand."""
    real_time.trouble(lag={"methods": (4, 4)})
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    await real_time.workflow(request_id).cancel()

    receipt = await real_time.receipt(request_id)

    assert receipt.ending.state is GrantState.CANCELLED
    real_time.assert_closed()


async def test_a_pass_that_the_workflow_never_heard_of_is_deleted(hours_pass: Scene) -> None:
    """The step that made it failed beside it. No list shows it yet, and the ledger alone has its id."""
    hours_pass.app.settings = hours_pass.settings.model_copy(update={"graph_timeout_seconds": 60})
    refused = hours_pass.fault(**OPENING_WRITES["assign a role"], status=503)
    making = hours_pass.hold(**OPENING_WRITES["make the pass"])
    request_id = await hours_pass.ask()
    await asyncio.gather(hours_pass.reached(making), hours_pass.reached(refused))
    hours_pass.trouble(lag={"methods": (600, 600)})
    await hours_pass.lands(making)
    await hours_pass.workflow(request_id).cancel()

    receipt = await hours_pass.receipt(request_id)

    assert receipt.ending.state is GrantState.CANCELLED
    hours_pass.assert_closed()
