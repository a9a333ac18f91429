"""What the doctor changes in a customer's tenant it says first, and it changes nothing that is not ours."""

from __future__ import annotations

import pytest

from entra_jit.operations.examine_tenant import examine_tenant
from entra_jit.operations.repair_tenant import repair_tenant
from models.checks import Check, CheckState, Repaired
from tests.actors import TESTER
from tests.stage import ELEVATE, REVOKE, Scene, configure

CLOSING_ROLE = "Privileged Authentication Administrator"


@pytest.fixture
async def scene(real_time: Scene) -> Scene:
    """A tenant in which the revoking application has no role, and the pass policy covers another group than ours."""
    tenant = f"/tenants/{real_time.customer}"
    group = real_time.control("POST", f"{tenant}/groups", name="MSP operators")["id"]
    other = real_time.control("POST", f"{tenant}/groups", name="Pilot")["id"]
    real_time.control(
        "POST",
        tenant,
        temporary_access_pass={"include_groups": [other]},
        service_principals=[
            {"app": REVOKE, "remove_roles": [CLOSING_ROLE]},
            {"app": ELEVATE, "grant": ["Policy.ReadWrite.AuthenticationMethod"]},
        ],
    )
    real_time.a_while_later()
    # This signs in: the token has the permissions of now.
    await configure(
        real_time,
        role_mappings=[{"group": "all-technicians", "security_groups": ["operators"]}],
        security_groups=[{"name": "operators", "id": group}],
        max_hours=8,
    )
    return real_time


async def repair(scene: Scene, *, do: bool) -> dict[Check, Repaired]:
    """What can be repaired; ``do``: and what has become of it, once all of that was agreed to."""
    found = await repair_tenant(TESTER, scene.app, scene.customer)
    if do:
        found = await repair_tenant(TESTER, scene.app, scene.customer, [one.change for one in found])
    return {one.check: one for one in found}


async def states(scene: Scene) -> dict[Check, CheckState]:
    [found] = await examine_tenant(TESTER, scene.app, [scene.customer])
    return {one.check: one.state for one in found.findings}


async def test_it_says_what_it_would_change_and_then_does_that_and_no_more(scene: Scene) -> None:
    before = await states(scene)
    assert (before[Check.DIRECTORY_ROLE], before[Check.PASS_POLICY]) == (CheckState.FAILED, CheckState.WARNING)

    planned = await repair(scene, do=False)
    assert planned.keys() == {Check.DIRECTORY_ROLE, Check.PASS_POLICY}
    assert f"Assign {CLOSING_ROLE} to the service principal of revoke" in planned[Check.DIRECTORY_ROLE].change
    assert "operators" in planned[Check.PASS_POLICY].change
    assert not any(one.done for one in planned.values())
    assert await states(scene) == before, "planning changes nothing"

    made = await repair(scene, do=True)
    assert [one.change for one in made.values()] == [one.change for one in planned.values()]
    assert all(one.done for one in made.values())
    scene.a_while_later()
    after = await states(scene)
    assert {check for check in Check if after[check] is not before[check]} == planned.keys()
    assert after[Check.DIRECTORY_ROLE] is after[Check.PASS_POLICY] is CheckState.OK
    assert await repair(scene, do=True) == {}

    entered = scene.sql("SELECT body->>'check', actor->>'id' FROM events WHERE kind = 'tenant repaired' ORDER BY id")
    assert entered == [("D105", TESTER.id), ("D301", TESTER.id)]


async def test_what_microsoft_refuses_is_said_and_the_rest_is_done(scene: Scene) -> None:
    scene.fault(method="PATCH", path="/policies/**", status=403)
    made = await repair(scene, do=True)
    assert made[Check.DIRECTORY_ROLE].done
    assert not made[Check.PASS_POLICY].done
    assert "Policy.ReadWrite.AuthenticationMethod" in (made[Check.PASS_POLICY].refused or "")


async def test_what_an_administrator_must_consent_to_is_an_address(scene: Scene) -> None:
    withdrawn = [{"app": REVOKE, "withdraw": ["User.RevokeSessions.All"]}]
    scene.control("POST", f"/tenants/{scene.customer}", service_principals=withdrawn)
    scene.a_while_later()
    missing = (await repair(scene, do=True))[Check.PERMISSIONS_MISSING]
    assert missing.by_hand
    assert not missing.done
    assert "User.RevokeSessions.All" in missing.change
    assert f"/adminconsent?client_id={REVOKE}" in missing.change


async def test_what_was_not_agreed_to_is_not_done(scene: Scene) -> None:
    """Between the list that is shown and the answer the tenant may change."""
    planned = await repair(scene, do=False)
    agreed = [planned[Check.PASS_POLICY].change]
    made = {one.check: one for one in await repair_tenant(TESTER, scene.app, scene.customer, agreed)}
    assert made[Check.PASS_POLICY].done
    assert not made[Check.DIRECTORY_ROLE].done
    assert (await states(scene))[Check.DIRECTORY_ROLE] is CheckState.FAILED
