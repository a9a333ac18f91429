"""A customer's policy for passkeys stands in the way. What mends it must let no other account in.

The doctor shows the change and makes it once it was agreed to; what it cannot confine to a group of our accounts is an
administrator's.
"""

from __future__ import annotations

from typing import Any

import pytest

from entra_jit.accounts.directories import Purpose
from entra_jit.accounts.doctor.passkeys import Opening, hindrances, plan_opening
from entra_jit.accounts.emergency.group import GROUP_NAME
from entra_jit.graph import Group, PermanentError
from entra_jit.graph.passkey_policy import PasskeyPolicy
from entra_jit.operations.examine_tenant import examine_tenant
from entra_jit.operations.repair_tenant import repair_tenant
from entra_jit.policy.emergency import AAGUID
from models.checks import Check, CheckState, Repaired
from models.messages import DirectoryCall, ObjectId, TenantId
from tests.actors import TESTER
from tests.emergency.accounts import account_name, made, rotate, signs_in
from tests.stage import ELEVATE, Scene, configure, customer_id, stage_clock

EVERYONE = {"targetType": "group", "id": "all_users"}
STRICT = {
    "id": "7f6b7c1e-0000-4000-8000-000000000001",
    "name": "Default passkey profile",
    "passkeyTypes": "deviceBound",
    "attestationEnforcement": "registrationOnly",
    "keyRestrictions": {"isEnforced": False, "enforcementType": "allow", "aaGuids": []},
    "unknownToUs": 1,
}
UNATTESTED = STRICT | {"attestationEnforcement": "disabled"}
PROFILES = {
    "passkeyProfiles": [STRICT],
    "defaultPasskeyProfile": STRICT["id"],
    "includeTargets": [EVERYONE | {"allowedPasskeyProfiles": [STRICT["id"]]}],
}
ONE, TWO = (ObjectId(f"00000000-0000-4000-8000-00000000000{number}") for number in (1, 2))
NAMES = {ONE: "one@contoso", TWO: "two@contoso"}
OURS = Group(id=ObjectId("00000000-0000-4000-8000-0000000000aa"), display_name=GROUP_NAME, security_enabled=True)
OTHERS = OURS.model_copy(update={"id": ObjectId("00000000-0000-4000-8000-0000000000bb"), "display_name": "Pilot"})


def restricted(kind: str, aaguid: str) -> dict[str, Any]:
    return {"keyRestrictions": {"isEnforced": True, "enforcementType": kind, "aaGuids": [aaguid]}}


def policy(**properties: Any) -> PasskeyPolicy:
    call = DirectoryCall(method="GET", path="/x", status=200, client_request_id="c", answered_at=stage_clock())
    usual = {"state": "enabled", "isSelfServiceRegistrationAllowed": True, "includeTargets": [EVERYONE]}
    return PasskeyPolicy.model_validate(usual | properties | {"evidence": call})


def opening(found: Opening | str | None) -> Opening:
    assert isinstance(found, Opening), found
    return found


@pytest.mark.parametrize(
    ("properties", "groups", "words"),
    [
        ({}, (), ()),
        ({"state": "disabled"}, (), ("disabled",)),
        ({"isSelfServiceRegistrationAllowed": None}, (), ("self-service set-up is off",)),
        ({"isAttestationEnforced": True}, (), ("attestation is enforced",)),
        (restricted("block", str(AAGUID).upper()), (), ("only some models",)),
        (restricted("allow", str(AAGUID)), (), ()),
        ({"includeTargets": [{"id": OTHERS.id}]}, (), ("they are not targeted",)),
        ({"includeTargets": [{"id": OTHERS.id}]}, (OTHERS.id,), ()),
        ({"excludeTargets": [{"id": OTHERS.id}]}, (OTHERS.id,), ("a group of theirs is excluded",)),
        (PROFILES, (), ("attestation is enforced",)),
        (PROFILES | {"passkeyProfiles": [UNATTESTED]}, (), ("synced passkeys are not allowed",)),
    ],
)
def test_what_stands_in_the_way_is_named(
    properties: dict[str, Any], groups: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert hindrances(policy(**properties), groups) == words


@pytest.mark.parametrize(
    ("properties", "groups", "words"),
    [
        ({"isAttestationEnforced": True}, (), "Opt in to passkey profiles, which cannot be undone"),
        ({"excludeTargets": [{"id": OTHERS.id}]}, (OTHERS,), "Take the group of one@contoso"),
        (PROFILES | {"passkeyProfiles": [STRICT] * 3}, (), "There are 3 passkey profiles"),
    ],
)
def test_what_is_not_ours_to_change_is_an_administrators(
    properties: dict[str, Any], groups: tuple[Group, ...], words: str
) -> None:
    found = plan_opening(policy(**properties), {ONE: groups}, NAMES)
    assert isinstance(found, str)
    assert found.startswith(words)


def test_a_policy_that_is_off_is_enabled_for_ours_alone() -> None:
    found = opening(plan_opening(policy(state="disabled"), {ONE: (), TWO: ()}, NAMES))
    assert (found.group, found.new_members, found.is_target, found.profile) == (None, (ONE, TWO), True, None)
    assert found.settings == {"state": "enabled"}
    assert found.words.startswith(f"Make a security group, {GROUP_NAME}, of one@contoso, two@contoso; ")


def test_an_account_that_was_made_later_joins_the_group() -> None:
    targeted = policy(includeTargets=[{"id": OURS.id}])
    found = opening(plan_opening(targeted, {ONE: (OURS,), TWO: ()}, NAMES))
    assert (found.group, found.new_members, found.settings, found.is_target) == (OURS.id, (TWO,), {}, False)
    assert plan_opening(targeted, {ONE: (OURS,), TWO: (OURS,)}, NAMES) is None
    # A group that bears our name is ours only as long as its members are chosen one by one.
    dynamic = OURS.model_copy(update={"group_types": ("DynamicMembership",)})
    assert opening(plan_opening(policy(state="disabled"), {ONE: (dynamic,)}, NAMES)).group is None


async def test_it_is_shown_and_then_lets_our_accounts_have_passkeys_and_no_other(real_time: Scene) -> None:
    tenant = f"/tenants/{real_time.customer}"
    granted = ["Policy.ReadWrite.AuthenticationMethod", "Group.Create", "GroupMember.ReadWrite.All"]
    real_time.control("POST", tenant, passkeys=PROFILES, service_principals=[{"app": ELEVATE, "grant": granted}])
    real_time.a_while_later()
    await configure(real_time, emergency_accounts=1)
    with pytest.raises(PermanentError):
        await rotate(real_time)
    assert await state(real_time) is CheckState.FAILED

    [planned] = await repairs(real_time)
    assert account_name(real_time) in planned.change
    assert f"for the model {AAGUID} alone" in planned.change
    assert not planned.done
    assert await state(real_time) is CheckState.FAILED, "planning changes nothing"

    [mended] = await repairs(real_time, planned.change)
    assert mended.done, mended.refused
    real_time.a_while_later()
    assert await state(real_time) is CheckState.OK
    assert await repairs(real_time) == []
    await made(real_time)
    assert await signs_in(real_time)

    await configure(real_time, emergency_accounts=2)
    refused = real_time.fault(method="POST", path="/groups/*/members/$ref", status=403)
    with pytest.raises(PermanentError, match="passkey"):
        await rotate(real_time, number=2)
    assert real_time.hits(refused) == 1, "where we may not, it is the doctor's to say"
    real_time.mend()
    await rotate(real_time, number=2)
    assert await signs_in(real_time, 2), "the second account has joined the first one by itself"
    assert await repairs(real_time) == []

    elevate = await real_time.app.directories.of(TenantId(customer_id(real_time.customer)), Purpose.ELEVATE)
    found = await elevate.passkey_policy.get()
    assert found.passkey_profiles[0].written() == STRICT, "as it was, with what we do not know of it"
    assert hindrances(found) == ("attestation is enforced",), "for everyone else"


async def repairs(scene: Scene, *agreed: str) -> list[Repaired]:
    found = await repair_tenant(TESTER, scene.app, scene.customer, agreed)
    return [one for one in found if one.check is Check.PASSKEYS]


async def state(scene: Scene) -> CheckState:
    [found] = await examine_tenant(TESTER, scene.app, [scene.customer])
    return next(one.state for one in found.findings if one.check is Check.PASSKEYS)
