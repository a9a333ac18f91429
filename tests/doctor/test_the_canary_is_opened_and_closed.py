"""The canary is a grant that no person uses: it opens what a grant opens, and whatever closes grants closes it.

It must never be mistaken for a technician's: it has a kind, a name and an id of its own, and one harmless role.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from entra_jit.accounts.doctor.canary import canary_request, week_of
from entra_jit.accounts.emergency.signing_in import BrowserSignIn, Typed
from entra_jit.ledger import credentials, examinations
from entra_jit.operations.await_canary import await_canary
from entra_jit.operations.close_all import close_all
from entra_jit.operations.end_access import end_access
from entra_jit.operations.examine_tenant import examine_tenant
from entra_jit.operations.list_failures import Selection, list_failures
from entra_jit.operations.reconcile import reconcile
from entra_jit.operations.request_access import request_access
from entra_jit.operations.reveal_credential import reveal_credential
from entra_jit.operations.run_canary import run_canary
from entra_jit.policy.entitlement import ALL_TECHNICIANS, RoleMapping, Technician, entitled_access
from entra_jit.policy.facts import TenantTerms
from entra_jit.policy.roles import GLOBAL_ADMINISTRATOR, find_role
from models.checks import Check, CheckState, Finding
from models.errors import BadInputError, RefusedError
from models.marks import CANARY_ID, CANARY_NAME
from models.messages import (
    CredentialKind,
    ExaminationsReport,
    GrantState,
    ObjectId,
    Proof,
    SignInOutcome,
    TenantId,
)
from tests.actors import TESTER
from tests.chromium import ARGUMENTS, CHROMIUM
from tests.stage import Scene, Services, configure, customer_id, scene, stage_clock
from workflows.examinations import Examinations

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


async def judged(scene: Scene) -> Finding:
    """What the doctor says of the last canary."""
    [found] = await examine_tenant(TESTER, scene.app, [scene.customer])
    return next(one for one in found.findings if one.check is Check.CANARY)


async def test_it_is_made_opened_closed_and_proven_and_nothing_else_ends_or_shows_it(real_time: Scene) -> None:
    account = real_time.account(CANARY_NAME)
    assert (await judged(real_time)).state is CheckState.UNKNOWN
    canary = await run_canary(TESTER, real_time.app, real_time.customer)
    status = await real_time.until(canary, GrantState.OPEN)

    assert [item.name for item in status.access] == ["Directory Readers"]
    user = real_time.user(account)
    assert user is not None
    assert user["enabled"]
    assert user["roles"] == ["Directory Readers"]
    assert real_time.sql("SELECT kind FROM managed_accounts") == [("canary",)]
    with pytest.raises(RefusedError, match="No person signs in"):
        await reveal_credential(TESTER, real_time.app, canary, CANARY_NAME)
    with pytest.raises(BadInputError, match="tenant canary"):
        await request_access(TESTER, real_time.app, tenant=real_time.customer, technician=CANARY_NAME, reason="curious")
    await configure(real_time)
    [report] = await reconcile(TESTER, real_time.app)
    assert (report.closed, report.failed) == ((), None)
    assert (await real_time.status(canary)).state is GrantState.OPEN, "neither applying nor reconciling ends it"

    await end_access(TESTER, real_time.app, canary, "seen")
    receipt = await real_time.receipt(canary)
    assert receipt.proof is Proof.READ_BACK
    real_time.assert_closed(account)
    found = await judged(real_time)
    assert found.state is CheckState.OK
    assert "Sign-in: not tried. No browser is found" in found.read


@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium to sign in with")
async def test_a_browser_signs_in_with_what_a_technician_would_get(services: Services) -> None:
    """And tells a page that we do not know from a credential that is refused."""
    browser = {"browser": str(CHROMIUM), "browser_arguments": tuple(ARGUMENTS)}
    async with scene(services, customers=1, skips_time=False, settings=browser) as act:
        canary = await run_canary(TESTER, act.app, act.customer)
        await act.until(canary, GrantState.OPEN)
        attempt = await await_canary(TESTER, act.app, canary)
        assert attempt is not None
        assert attempt.outcome is SignInOutcome.SIGNED_IN, attempt.detail
        async with act.app.ledger.transaction() as session:
            held = await credentials.open_for_canary(session, act.app.keyring, canary)
        assert held is not None
        account = act.account(CANARY_NAME)
        user = act.user(account)
        assert user is not None

        async def outcome(kind: CredentialKind, secret: str) -> tuple[SignInOutcome, str]:
            signs_in = BrowserSignIn(act.app.graph, act.settings, stage_clock)
            typed = Typed(account, kind, SecretStr(secret))
            found = await signs_in.type_in(typed, TenantId(customer_id(act.customer)), ObjectId(user["id"]))
            return found.outcome, found.detail

        refused = await outcome(held.kind, "wrong")
        assert (refused[0], "AADSTS130507" in refused[1]) == (SignInOutcome.REFUSED, True), refused
        # A password alone comes no further than the page that has a second factor registered.
        password = "sandbox-only-Canary-1"
        act.control("PATCH", f"/tenants/{act.customer}/users/{user['id']}", password=password)
        act.control("POST", f"/tenants/{act.customer}", temporary_access_pass={"enabled": False})
        act.control("POST", f"/tenants/{act.customer}/sign-in-policy", require_mfa=True)
        walled = await outcome(CredentialKind.PASSWORD, password)
        assert (walled[0], "second factor" in walled[1]) == (SignInOutcome.REFUSED, True), walled

        await end_access(TESTER, act.app, canary, "seen")
        await act.receipt(canary)
        assert "Sign-in: signed in." in (await judged(act)).read


async def test_the_emergency_stop_closes_it_and_no_other_is_opened(real_time: Scene) -> None:
    canary = await run_canary(TESTER, real_time.app, real_time.customer)
    await real_time.until(canary, GrantState.OPEN)
    stopped = await close_all(TESTER, real_time.app, reason="a drill", tenant=real_time.customer)
    assert stopped.is_proven
    real_time.assert_closed(real_time.account(CANARY_NAME))

    denied = await real_time.receipt(await run_canary(TESTER, real_time.app, real_time.customer))
    assert denied.opened_at is None
    found = await judged(real_time)
    assert (found.state, "a drill" in found.read) == (CheckState.WARNING, True), found


async def test_what_keeps_it_from_opening_is_found_before_a_technician_finds_it(real_time: Scene) -> None:
    real_time.fault(method="PATCH", path="/users/*", body_contains='"accountEnabled":true', status=403, count=100)
    canary = await run_canary(TESTER, real_time.app, real_time.customer)
    parked = await real_time.until(canary, GrantState.PARKED)
    await end_access(TESTER, real_time.app, canary, parked.sentence)
    await real_time.receipt(canary)
    found = await judged(real_time)
    assert (found.state, "Not opened" in found.read) == (CheckState.FAILED, True)
    assert "403" in found.read, found.read
    assert (await list_failures(TESTER, real_time.app, Selection())).found == []


async def test_it_is_reconciled_like_a_technicians_account(real_time: Scene) -> None:
    canary = await run_canary(TESTER, real_time.app, real_time.customer)
    await real_time.until(canary, GrantState.OPEN)
    await end_access(TESTER, real_time.app, canary)
    await real_time.receipt(canary)
    account = real_time.user(real_time.account(CANARY_NAME))
    assert account is not None
    real_time.control("PATCH", f"/tenants/{real_time.customer}/users/{account['id']}", enabled=True)
    real_time.a_while_later()
    await reconcile(TESTER, real_time.app)
    real_time.assert_closed(real_time.account(CANARY_NAME))


async def test_where_it_is_wanted_weekly_the_round_runs_it_once_a_week(real_time: Scene) -> None:
    await configure(real_time, canary="weekly")

    async def round_() -> ExaminationsReport:
        found: ExaminationsReport = await real_time.services.client.execute_workflow(
            Examinations.run, id=f"round-of-{real_time.customer}", task_queue=real_time.settings.task_queue
        )
        return found

    report = await round_()
    assert report.tenants == 1
    async with real_time.app.ledger.transaction() as session:
        [configured] = await examinations.tenants(session, real_time.app.clock())
    canary = canary_request(configured.terms, week_of(configured.terms, real_time.app.clock()), NOON).request_id
    await real_time.until(canary, GrantState.OPEN)
    await round_()
    assert real_time.sql("SELECT id, requested_by->>'id' FROM requests") == [(canary, "doctor")]
    await end_access(TESTER, real_time.app, canary)
    assert (await real_time.receipt(canary)).proof is Proof.READ_BACK


def test_tenants_begin_their_weeks_on_different_days() -> None:
    hours = timedelta(hours=4)
    terms = [
        TenantTerms(TenantId(customer_id(f"customer-{number}")), "a", "a.onmicrosoft.com", "msp-", hours, hours, True)
        for number in range(50)
    ]
    assert len({week_of(one, NOON) for one in terms}) == 2
    assert {week_of(terms[0], NOON + timedelta(days=day)) for day in range(7)} <= {"2026-w48", "2026-w49"}


def test_it_is_given_one_harmless_role_whatever_is_mapped() -> None:
    tenant = TenantId(customer_id("contoso"))
    everything = [RoleMapping(ALL_TECHNICIANS, None, find_role(GLOBAL_ADMINISTRATOR))]
    [item] = entitled_access(Technician(CANARY_ID), tenant, [], everything)
    assert item == find_role("Directory Readers")
