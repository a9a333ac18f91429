"""From a line in the configuration to an account that has signed in, without a person: the rounds of a real Temporal.

The browser is real as well, so it takes a while. What each step does is held by the other tests of this folder.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from entra_jit.operations.drill_emergency_account import drill_emergency_account
from entra_jit.operations.list_emergency_accounts import list_emergency_accounts
from entra_jit.operations.rotate_emergency_account import rotate_emergency_account
from models.errors import NotFoundError
from models.messages import EmergencyAccountView, SignInOutcome
from models.names import emergency_workflow_id
from tests.actors import TESTER
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.emergency.accounts import passkeys, ref_of, user
from tests.patience import eventually
from tests.stage import Scene, Services, configure, scene
from workflows.emergency_accounts import EmergencyAccounts, EmergencyRounds

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium to sign in with"),
]


@pytest.fixture
async def act(services: Services) -> AsyncIterator[Scene]:
    """A scene whose worker has a browser."""
    browser = {"browser": str(CHROMIUM), "browser_arguments": tuple(ARGUMENTS)}
    async with scene(services, customers=1, skips_time=False, settings=browser) as made:
        yield made


async def round_of(act: Scene) -> int:
    """One round, as its schedule starts it. In how many tenants work was started."""
    return await act.services.client.execute_workflow(
        EmergencyRounds.run, id=f"rounds-{act.settings.task_queue}", task_queue=act.settings.task_queue
    )


async def rotated(act: Scene, *, after: EmergencyAccountView | None = None) -> EmergencyAccountView:
    """The account, once a rotation has come to its end."""

    async def there() -> EmergencyAccountView | None:
        [found] = await list_emergency_accounts(TESTER, act.app, act.customer)
        is_new = found.rotated_at not in {None, after and after.rotated_at}
        return found if is_new else None

    return await eventually(there)


async def test_it_is_made_rotated_and_tried(act: Scene) -> None:
    with pytest.raises(NotFoundError, match="emergency_accounts"):
        await rotate_emergency_account(TESTER, act.app, act.customer)
    await configure(act, emergency_accounts=1)
    assert await round_of(act) == 1
    first = await rotated(act)
    assert user(act)["enabled"]
    report = await act.services.client.get_workflow_handle_for(
        EmergencyAccounts.run, emergency_workflow_id(ref_of(act).tenant_id)
    ).result()
    assert (report.done, report.failed) == ((f"emergency account 1 of {act.customer}: rotated",), ())
    assert await round_of(act) == 0, "nothing is due"

    await rotate_emergency_account(TESTER, act.app, act.customer)
    second = await rotated(act, after=first)
    assert second.credential != first.credential
    assert len(passkeys(act)) == 1

    await drill_emergency_account(TESTER, act.app, act.customer, 1)

    async def tried() -> bool | None:
        [found] = await list_emergency_accounts(TESTER, act.app, act.customer)
        return found.drilled_at != second.drilled_at or None

    await eventually(tried)
    [found] = await list_emergency_accounts(TESTER, act.app, act.customer)
    assert found.drill_outcome is SignInOutcome.SIGNED_IN
    assert not found.needs_attention


async def test_what_does_not_come_through_is_alarmed_and_disables_nothing(act: Scene) -> None:
    await configure(act, emergency_accounts=1)
    act.fault(method="POST", path="/users/*/authentication/fido2Methods", status=403)
    await round_of(act)

    async def alarmed() -> str | None:
        return next((kind for (kind,) in act.sql("SELECT kind FROM alarms")), None)

    assert await eventually(alarmed) == "emergency account unproven"
    assert not user(act)["enabled"], "it has no passkey yet, so it was never opened"
