"""A break-glass account whose rotation failed half-way is found out on the day that nothing else works.

So a new passkey signs in before the old one goes. Each rotation is cut here after each of its steps, as by a worker
that is killed, and each answer of Microsoft's is lost once.
"""

from __future__ import annotations

import json
from base64 import b64decode
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from entra_jit.accounts.reconciliation.reconcile_tenant import TenantReconciliation
from entra_jit.crypto.keyring import Keyring
from entra_jit.graph import GraphError, PermanentError
from entra_jit.ledger import emergency
from entra_jit.operations.forget_emergency_account import forget_emergency_account
from entra_jit.operations.reconcile import reconcile
from models.errors import InternalError, ReadBackDisagreesError, RefusedError, SettingsError
from models.messages import EmergencyCredentialRef, EmergencyDuty, EmergencyTenant, SignInOutcome
from tests.actors import TESTER
from tests.emergency.accounts import (
    STEPS,
    made,
    passkeys,
    ref_of,
    rotate,
    rotations,
    signs_in,
    steps_of,
    user,
    want_rotation,
)
from tests.emergency.written import history_of, ledger_of
from tests.end_to_end.test_no_secret_is_left_anywhere import forms
from tests.stage import Scene, configure, stage_clock, variant


async def due(act: Scene, later: timedelta = timedelta(0)) -> list[tuple[int, EmergencyDuty]]:
    """What the next round would do."""
    ref = ref_of(act)
    async with act.app.ledger.transaction() as session:
        work = await emergency.work(
            session, EmergencyTenant(tenant_id=ref.tenant_id, tenant=ref.tenant), stage_clock() + later
        )
    return [(one.account.number, one.duty) for one in work]


async def test_it_is_made_open_with_a_proven_passkey_and_nothing_else(real_time: Scene) -> None:
    await configure(real_time, emergency_accounts=1)
    assert await due(real_time) == [(1, EmergencyDuty.ROTATE)]
    policy = f"/tenants/{real_time.customer}/sign-in-policy"
    real_time.control("POST", policy, require_phishing_resistant=True)

    await rotate(real_time)

    account = user(real_time)
    assert account["enabled"]
    assert account["roles"] == ["Global Administrator"]
    assert [method["kind"] for method in account["methods"]] == ["fido2"]
    assert real_time.sql("SELECT kind FROM managed_accounts") == [("emergency",)]
    [[ciphertext]] = real_time.sql("SELECT ciphertext FROM emergency_credentials")
    assert b"private_key" not in bytes(ciphertext)
    assert await signs_in(real_time)
    assert await due(real_time) == []
    assert await due(real_time, timedelta(days=31)) == [(1, EmergencyDuty.DRILL)]
    assert await due(real_time, timedelta(days=91)) == [(1, EmergencyDuty.ROTATE)]


async def test_a_rotation_that_is_cut_short_anywhere_leaves_one_and_goes_on(real_time: Scene) -> None:
    await made(real_time)
    for steps in range(1, len(STEPS)):
        [before] = passkeys(real_time)
        await want_rotation(real_time)

        await rotate(real_time, until=steps)
        assert await signs_in(real_time), f"after {steps} steps"
        assert await due(real_time) == [(1, EmergencyDuty.ROTATE)], "the next round goes on"

        assert await rotate(real_time)
        [after] = passkeys(real_time)
        assert after != before
        assert await signs_in(real_time)
        assert await due(real_time) == []
    assert real_time.sql("SELECT count(*) FROM emergency_credentials WHERE ciphertext IS NOT NULL") == [(1,)]


async def test_a_first_making_that_is_cut_short_goes_on(real_time: Scene) -> None:
    await configure(real_time, emergency_accounts=2)
    for number, steps in ((1, 3), (2, 5)):
        await rotate(real_time, until=steps, number=number)
        assert (number, EmergencyDuty.ROTATE) in await due(real_time)
        await rotate(real_time, number=number)
        assert len(passkeys(real_time, number)) == 1
        assert await signs_in(real_time, number)


async def test_every_answer_that_is_lost_is_made_up_for(real_time: Scene) -> None:
    await configure(real_time, emergency_accounts=1)
    faults = [
        real_time.fault(method=method, path=path, drop="after", count=1)
        for method, path in (
            ("POST", "/users"),
            ("POST", "/users/*/authentication/fido2Methods"),
            ("POST", "/roleManagement/directory/roleAssignments"),
            ("PATCH", "/users/*"),
            ("DELETE", "/users/*/authentication/fido2Methods/*"),
        )
    ]
    await until_done(real_time)
    await want_rotation(real_time)
    await until_done(real_time)

    assert [real_time.hits(fault) for fault in faults] == [1] * len(faults)
    assert len(passkeys(real_time)) == 1
    assert user(real_time)["roles"] == ["Global Administrator"]
    assert await signs_in(real_time)


async def until_done(act: Scene) -> None:
    """A rotation, begun again after each answer that is lost, as Temporal does it."""
    for _ in STEPS:
        with suppress(GraphError, ReadBackDisagreesError):
            await rotate(act)
            return
    raise AssertionError("It does not come through.")


async def test_a_new_passkey_that_does_not_sign_in_takes_no_place(real_time: Scene) -> None:
    await made(real_time)
    [before] = passkeys(real_time)
    await want_rotation(real_time)
    await rotate(real_time, until=3)
    [new] = set(passkeys(real_time)) - {before}
    real_time.control("DELETE", f"/tenants/{real_time.customer}/users/{user(real_time)['id']}/methods/{new}")

    steps = steps_of(real_time)
    credential = await steps.make_passkey(ref_of(real_time))
    with pytest.raises(ReadBackDisagreesError, match="credential refused"):
        await steps.prove_passkey(credential)
    with pytest.raises(InternalError, match="No passkey"):
        await steps.retire_others(credential)
    assert passkeys(real_time) == [before]
    assert await signs_in(real_time)

    await rotate(real_time)
    assert passkeys(real_time) == [new], "it is registered once more, and proven"


async def test_a_policy_that_forbids_passkeys_leaves_the_old_one(real_time: Scene) -> None:
    await made(real_time)
    await want_rotation(real_time)
    forbidding = {"isSelfServiceRegistrationAllowed": False}
    real_time.control("POST", f"/tenants/{real_time.customer}", passkeys=forbidding)
    with pytest.raises(PermanentError):
        await rotate(real_time)
    assert await signs_in(real_time)


async def test_losing_the_deployments_keys_disables_nothing(real_time: Scene) -> None:
    """Its tag cannot be read then, and what is sealed cannot be opened: it is told, and the account stays."""
    await made(real_time)
    before = real_time.everything()
    lost = variant(real_time.app, keyring=Keyring.parse("test-2:" + "A" * 43 + "="))
    with pytest.raises(SettingsError, match="no key"):
        await steps_of(real_time, lost).drill(ref_of(real_time))
    with pytest.raises(RefusedError, match="owner tag is missing or broken"):
        await rotate(real_time, app=lost)
    report = await TenantReconciliation(lost).reconcile(ref_of(real_time).tenant_id, real_time.customer)
    assert report.closed == ()
    assert real_time.everything() == before


async def test_an_account_that_was_deleted_is_not_made_again(real_time: Scene) -> None:
    await made(real_time)
    gone = user(real_time)["id"]
    real_time.control("DELETE", f"/tenants/{real_time.customer}/users/{gone}")
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with pytest.raises(RefusedError, match="was deleted"):
        await steps_of(real_time).ensure_account(ref_of(real_time), long_ago)
    assert user(real_time)["deleted"], "there is no other"

    with pytest.raises(RefusedError, match="not missed for long enough"):
        await forget_emergency_account(TESTER, real_time.app, real_time.customer, 1)
    await reconcile(TESTER, real_time.app)
    await forget_emergency_account(TESTER, real_time.app, real_time.customer, 1)
    assert await due(real_time) == [(1, EmergencyDuty.ROTATE)]
    await rotate(real_time)
    assert await signs_in(real_time)


async def test_a_drill_that_fails_is_alarmed_and_one_that_succeeds_ends_the_alarm(real_time: Scene) -> None:
    await made(real_time)
    account = f"/tenants/{real_time.customer}/users/{user(real_time)['id']}"
    real_time.control("PATCH", account, enabled=False)
    assert not await signs_in(real_time)
    assert real_time.sql("SELECT kind, subject FROM alarms") == [
        ("emergency account unproven", f"emergency account 1 of {real_time.customer}")
    ]
    real_time.control("PATCH", account, enabled=True)
    assert await signs_in(real_time)
    assert real_time.sql("SELECT kind FROM alarms") == []


async def test_a_sign_in_service_that_is_busy_refuses_no_credential(real_time: Scene) -> None:
    await made(real_time)
    real_time.fault(path="^/[^/]+/oauth2/v2.0/token$", method="POST", status=503)
    attempt = await steps_of(real_time).drill(ref_of(real_time))
    assert attempt.outcome is SignInOutcome.NOT_TRIED
    assert "AADSTS90033" in attempt.detail


async def test_no_history_table_or_log_of_a_rotation_has_the_key(
    real_time: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only a handle travels, also where a step fails after the key was made."""
    await configure(real_time, emergency_accounts=1)
    real_time.fault(method="POST", path="/users/*/authentication/fido2Methods", status=403, count=1)
    histories = b""
    async with rotations(real_time) as begin:
        for outcome in ("failed", "done"):
            workflow = await begin()
            assert getattr(await workflow.result(), outcome), outcome
            histories += await history_of(real_time, workflow)

    async with real_time.app.ledger.transaction() as session:
        account = await emergency.find(session, ref_of(real_time))
        assert account is not None
        assert account.current is not None
        credential = EmergencyCredentialRef(account=ref_of(real_time), credential=str(account.current.handle))
        _, pair = await emergency.open_passkey(session, real_time.app.keyring, credential)
    key = load_der_private_key(b64decode(json.loads(pair.get_secret_value())["private_key"]), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    ways = forms(key.private_numbers().private_value.to_bytes(32))
    logged = "".join(capsys.readouterr()).encode()
    handle = credential.credential.encode()
    for said, mark in ((histories, handle), (ledger_of(real_time), handle), (logged, b"fido2Methods")):
        assert mark in said, "it can be read"
        assert not any(way in said for way in ways)
    assert any(way in pair.get_secret_value().encode() for way in ways), "what is looked for is how it is written"
