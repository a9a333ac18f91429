"""A grant that is ended seconds after its roles were given, at replicas that have not heard of them.

Such a replica says "there is no such assignment" to the removal and lists none: a closing that believed it was proven,
and the roles appeared on the account afterwards.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.closing import ROLES_ARE_KNOWN_AFTER, ClosingActivities
from activities.failures import ReadBackDisagreesError
from ledger import grants, requests
from ledger.rows import as_grant
from models.messages import AccountToClose, GrantState
from tests.stage import Scene, stage_clock


async def _account(act: Scene, request_id: str, given: timedelta) -> AccountToClose:
    async with act.deployment.ledger.transaction() as session:
        request, row = await requests.by_id(session, request_id), await grants.by_id(session, request_id)
    assert request is not None
    assert row is not None
    user = act.user()
    assert user is not None
    return AccountToClose(grant=as_grant(request, row), object_id=user["id"], roles_given_at=stage_clock() - given)


async def test_its_absence_is_not_believed_until_all_have_heard_of_it(real_time: Scene) -> None:
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    strip = ClosingActivities(real_time.workplace).strip_account
    roles = len((await real_time.status(request_id)).roles)
    fresh = await _account(real_time, request_id, timedelta(seconds=5))

    real_time.fault(method="DELETE", path="/roleManagement/directory/roleAssignments/*", status=404, count=roles)
    with pytest.raises(ReadBackDisagreesError, match="too new"):
        await ActivityEnvironment().run(strip, fresh)
    assert real_time.user()["roles"]  # type: ignore[index]

    # Seen once, and removed: now it is believed.
    await ActivityEnvironment().run(strip, fresh)
    assert not real_time.user()["roles"]  # type: ignore[index]
    # Long after it was given, everybody has heard of it.
    await ActivityEnvironment().run(strip, await _account(real_time, request_id, ROLES_ARE_KNOWN_AFTER))
