"""A tenant's settings are found wrong before the first technician finds out: by one command, in the tenant itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from entra_jit.accounts.own_applications import OwnCredential
from entra_jit.graph import ClientSecret
from entra_jit.operations.examine_tenant import examine_tenant
from entra_jit.operations.list_alarms import list_alarms
from models.alarms import Alarm, AlarmKind
from models.checks import Check, CheckState, Examination
from tests.actors import TESTER
from tests.stage import ELEVATE, REVOKE, Scene, configure, variant

OK, UNKNOWN, WARNING, FAILED = CheckState.OK, CheckState.UNKNOWN, CheckState.WARNING, CheckState.FAILED
REGISTERED_ELSEWHERE = "D106"
"""The sandbox's applications live in another tenant, which alone knows when their secrets end."""


@pytest.fixture
async def scene(real_time: Scene) -> Scene:
    """A customer whose grants are no longer than its passes."""
    await configure(real_time, max_hours=8)
    return real_time


async def examine(scene: Scene) -> Examination:
    [found] = await examine_tenant(TESTER, scene.app, [scene.customer])
    return found


def states(examination: Examination) -> dict[str, CheckState]:
    return {one.check.code: one.state for one in examination.findings}


async def worse(scene: Scene) -> list[Alarm]:
    found = await list_alarms(TESTER, scene.app, tenant=scene.customer)
    return [alarm for alarm in found if alarm.kind is AlarmKind.CHECK_WORSE]


async def test_a_tenant_that_is_set_up_well_is_usable(scene: Scene) -> None:
    found = await examine(scene)
    assert list(states(found)) == [check.code for check in Check]
    odd = {one.check.code: one for one in found.findings if one.state is not OK}
    assert odd.keys() == {REGISTERED_ELSEWHERE, Check.CANARY.code}, odd
    assert found.is_usable
    assert not found.has_failed


async def test_each_thing_that_is_wrong_is_found_in_the_tenant(scene: Scene) -> None:
    tenant = f"/tenants/{scene.customer}"
    before = await examine(scene)
    principals = [
        {"app": ELEVATE, "withdraw": ["Domain.Read.All"], "grant": ["AuditLog.Read.All"]},
        {"app": REVOKE, "remove_roles": ["Privileged Authentication Administrator"]},
    ]
    device = {"operator": "OR", "builtInControls": ["compliantDevice"]}
    keys = {"operator": "OR", "builtInControls": [], "authenticationStrength": {"allowedCombinations": ["fido2"]}}
    everywhere = {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}}
    scene.control(
        "POST",
        tenant,
        service_principals=principals,
        temporary_access_pass={"one_time_only": True, "maximum_lifetime": 60, "include_groups": ["another"]},
        passkeys={"isAttestationEnforced": True},
        conditional_access=[
            {"displayName": "Devices", "state": "enabled", "conditions": everywhere, "grantControls": device},
            {"displayName": "Keys", "state": "enabled", "conditions": everywhere, "grantControls": keys},
        ],
    )
    scene.control("POST", f"{tenant}/users", user_principal_name=scene.account("not-ours"))
    scene.a_while_later()

    found = await examine(scene)

    assert states(before)["D103"] is OK
    expected = {
        "D103": FAILED, "D104": WARNING, "D105": FAILED, "D201": UNKNOWN, "D205": WARNING,
        "D301": WARNING, "D302": WARNING, "D303": WARNING, "D305": WARNING, "D307": WARNING,
    }  # fmt: skip
    assert {code: state for code, state in states(found).items() if state is not states(before)[code]} == expected
    assert not found.is_usable
    by_code = {one.check.code: one for one in found.findings}
    assert "Domain.Read.All (elevate)" in by_code["D103"].read
    assert "Grant the app Domain.Read.All" in by_code["D201"].to_do
    assert "revoke" in by_code["D105"].read
    assert scene.account("not-ours") in by_code["D205"].read
    assert "Devices demands a compliant device" in by_code["D305"].read


async def test_what_is_worse_than_before_is_an_alarm_until_it_is_good(scene: Scene) -> None:
    tenant = f"/tenants/{scene.customer}"
    scene.control("POST", tenant, temporary_access_pass={"one_time_only": True})
    scene.a_while_later()
    await examine(scene)
    assert await worse(scene) == [], "the first examination compares with nothing"

    scene.control("POST", tenant, temporary_access_pass={"maximum_lifetime": 60})
    fault = scene.fault(method="GET", path="/policies/authenticationMethodsPolicy/**", status=503, count=1)
    scene.a_while_later()
    unread = await examine(scene)
    assert states(unread)["D302"] is UNKNOWN
    assert await worse(scene) == [], "what could not be read is not worse"

    scene.release(fault)
    await examine(scene)
    [alarm] = await worse(scene)
    assert alarm.subject == f"{scene.customer} D302"
    assert "A pass lasts at most 1 h, a grant 8 h." in alarm.sentence
    assert "Raise the policy's maximum lifetime" in alarm.sentence

    scene.control("POST", tenant, temporary_access_pass={"maximum_lifetime": 480})
    scene.a_while_later()
    await examine(scene)
    assert await worse(scene) == []


async def test_the_end_of_our_own_secrets_is_known_from_the_settings(scene: Scene) -> None:
    """The customer's directory does not tell when a secret ends that is registered in the MSP's."""
    for days, state in ((40, OK), (20, WARNING), (3, FAILED)):
        ends = scene.app.clock() + timedelta(days=days)
        secret = ClientSecret(secret=SecretStr("not asked for"))
        own = {each: OwnCredential(each, secret, ends) for each in (ELEVATE, REVOKE)}
        [found] = await examine_tenant(TESTER, variant(scene.app, own_applications=own), [scene.customer])
        assert states(found)["D106"] is state
    [alarm] = await worse(scene)
    assert alarm.subject == f"{scene.customer} D106"


async def test_without_a_sign_in_nothing_else_is_tried(scene: Scene) -> None:
    scene.control("POST", f"/tenants/{scene.customer}", service_principals=[{"app": REVOKE, "enabled": False}])
    scene.a_while_later()
    found = await examine(scene)
    first, *others = found.findings
    assert (first.check.code, first.state) == ("D101", FAILED)
    assert "revoke" in first.read
    assert first.to_do
    assert {one.state for one in others} == {UNKNOWN}
    assert found.has_failed
