"""What a technician left behind shows in the directory's audit alone, half an hour after everything was proven closed.

A secret on an application, a policy with a hole, a second credential for the very application that closes: none of it
is held by the account, so no read-back finds it. Without a second look the receipt of such a grant is as clean as any.
"""

from __future__ import annotations

import io
from collections.abc import Awaitable
from datetime import timedelta

import pytest
from rich.console import Console

from entra_jit.accounts.directories import Purpose
from entra_jit.cli.views.receipt import show_receipt as print_receipt
from entra_jit.graph.audit_logs import MOST_ENTRIES
from entra_jit.ledger import alarms
from entra_jit.operations.show_receipt import show_receipt
from models.alarms import Alarm, AlarmKind
from models.messages import AddendumKind, GrantState, ReviewsReport, TenantId
from models.sweep import Done, FindingKind
from tests.actors import TESTER
from tests.end_to_end.misbehaving import Misbehaving, open_for_everything
from tests.end_to_end.reviews import HALF_AN_HOUR, TWO_HOURS, addendum, ended, reviewed
from tests.stage import Scene, customer_id, stage_clock
from workflows.reconciliation import Reconciliation
from workflows.reviews import Reviews


async def standing(act: Scene) -> dict[tuple[AlarmKind, str], Alarm]:
    async with act.app.ledger.transaction() as session:
        return {(one.kind, one.subject): one for one in await alarms.listed(session)}


@pytest.mark.exact("a person does not repeat what a late replica refuses")
async def test_all_that_was_left_behind_is_named_once_the_audit_has_caught_up(real_time: Scene) -> None:
    dirty, clean = await together(open_for_everything(real_time), open_for_everything(real_time, technician="robin"))
    real_time.trouble(lag={"audit": (600, 600)})
    with await Misbehaving.signed_in(real_time, dirty) as alex:
        alex.takes_a_role()
        alex.joins_a_group()
        alex.registers_a_phone()
        alex.consents(alex.takes_over_an_application())
        alex.excludes_itself()
        alex.changes_our_application()
        account = alex.account
    robin = f"/tenants/{real_time.customer}/users/{real_time.account('robin')}"
    real_time.control("PATCH", robin, enabled=False)
    me = [{"type": "User", "id": real_time.user(real_time.account("robin"))["id"]}]  # type: ignore[index]
    real_time.control("POST", f"{robin}/audit", activity="Update user", by_service="Microsoft Intune", targets=me)
    await ended(real_time, dirty, clean)
    # The audit names our own applications by their service principals alone, which are known without a look-up.
    real_time.fault(method="GET", path="^/servicePrincipals\\(appId", status=403)

    # Too early: the audit does not know yet, and what it does not know must not become a clean bill.
    tenant = await real_time.app.directories.of(TenantId(customer_id(real_time.customer)), Purpose.REVOKE)
    now = stage_clock()
    assert not await tenant.audit_logs.done_by(account, now - HALF_AN_HOUR, now)  # type: ignore[arg-type]
    assert (await reviewed(real_time, timedelta(minutes=29))).reviewed == 0
    assert await addendum(real_time, dirty) is None

    real_time.a_while_later()
    assert (await reviewed(real_time, HALF_AN_HOUR)).reviewed == 2
    assert (await reviewed(real_time, HALF_AN_HOUR)).reviewed == 0, "once"
    found = await addendum(real_time, dirty)
    assert found is not None
    assert {finding.kind for finding in found.findings if finding.removed} == {
        FindingKind.ROLE,
        FindingKind.MEMBERSHIP,
        FindingKind.SIGN_IN_METHOD,
    }
    assert {finding.kind for finding in found.findings if finding.alarming} == {
        FindingKind.OWNERSHIP,
        FindingKind.CREDENTIAL,
        FindingKind.CONSENT,
        FindingKind.APPLICATION,
        FindingKind.POLICY,
        FindingKind.OUR_APPLICATION,
    }
    told = " ".join(finding.sentence for finding in found.findings)
    for name in ("Reports Reader", "Tier 0", "Payroll", "Require MFA", "entra-jit revoke"):
        assert name in told
    assert Done(activity="Add group", times=1) in found.done, "what is no finding is counted"
    assert all(call.request_id for call in found.calls)
    page = io.StringIO()
    print_receipt(Console(file=page, width=200), await show_receipt(TESTER, real_time.app, dirty))
    assert "changed the policy Require MFA" in page.getvalue()

    spotless = await addendum(real_time, clean)
    assert spotless is not None
    assert (spotless.findings, spotless.done) == ((), ())
    assert spotless.sentence.startswith("0 acts")
    raised = await standing(real_time)
    assert (AlarmKind.PERSISTENCE, dirty) in raised
    assert (AlarmKind.PERSISTENCE, clean) not in raised
    foreign = raised[AlarmKind.FOREIGN_CHANGE, real_time.account("robin")]
    assert "Disable account" in foreign.sentence
    assert "Intune" not in foreign.sentence, "Microsoft's own services are no strangers, and have service principals"
    assert (AlarmKind.FOREIGN_CHANGE, real_time.account()) not in raised, "our own applications are no strangers"

    assert (await reviewed(real_time, TWO_HOURS)).reviewed == 2
    aftermath = await addendum(real_time, dirty, AddendumKind.AFTERMATH)
    assert aftermath is not None
    assert aftermath.done == ()


async def test_what_a_closed_account_has_come_to_is_taken_away(real_time: Scene) -> None:
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    account = f"/tenants/{real_time.customer}/users/{real_time.account()}"
    real_time.control("POST", f"{account}/audit", activity="Update user", unreadable=True)
    await ended(real_time, request_id)
    real_time.control("POST", f"{account}/methods", kind="fido2")
    assert (await reviewed(real_time, HALF_AN_HOUR)).reviewed == 1
    real_time.assert_closed()
    found = await addendum(real_time, request_id)
    assert found is not None
    taken, unread = found.findings
    assert (taken.removed, unread.removed, unread.alarming) == (True, False, True)
    assert "cannot be read" in unread.sentence
    await reviewed(real_time, TWO_HOURS)
    aftermath = await addendum(real_time, request_id, AddendumKind.AFTERMATH)
    assert aftermath is not None
    assert aftermath.done == (Done(activity="User registered security info", times=1),)


async def test_an_audit_that_may_not_be_read_is_alarmed_and_read_later(real_time: Scene) -> None:
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    await ended(real_time, request_id)
    real_time.fault(method="GET", path="/auditLogs/directoryAudits", status=403)
    report = await reviewed(real_time, HALF_AN_HOUR)
    assert report.failed is not None
    subject = AlarmKind.PERMISSION_LOST, f"{real_time.customer}: audit log"
    assert "AuditLog.Read.All" in (await standing(real_time))[subject].sentence
    assert await addendum(real_time, request_id) is None
    real_time.mend()
    await reviewed(real_time, HALF_AN_HOUR)
    assert subject not in await standing(real_time)
    assert await addendum(real_time, request_id) is not None


@pytest.mark.exact("has limits of its own")
async def test_who_floods_the_audit_is_told_of_and_holds_up_nobody_elses_review(real_time: Scene) -> None:
    """Page after page was asked for, until Microsoft refused; the next run began anew, and came no further."""
    flooded, clean = await together(open_for_everything(real_time), open_for_everything(real_time, technician="robin"))
    robin = (real_time.user(real_time.account("robin")) or {})["id"]
    for _ in range(MOST_ENTRIES + 10):
        act_on_robin = {"activity": "Update user", "targets": [{"id": robin, "type": "User"}]}
        real_time.control("POST", f"/tenants/{real_time.customer}/users/{real_time.account()}/audit", **act_on_robin)
    await ended(real_time, flooded, clean)
    broken = real_time.fault(path="/auditLogs/**", status=400, code="Directory_ExpiredPageToken")
    report = await reviewed(real_time, HALF_AN_HOUR)
    assert (report.failed or "").count("Directory_ExpiredPageToken") == 2, "the first one held up the other"
    real_time.release(broken)
    real_time.trouble(throttle="real")

    report = await reviewed(real_time, HALF_AN_HOUR)

    assert (report.reviewed, report.failed) == (2, None)
    assert "only the last" in (await standing(real_time))[AlarmKind.PERSISTENCE, flooded].sentence
    spotless = await addendum(real_time, clean)
    assert spotless is not None
    assert spotless.sentence.startswith("0 acts")
    assert [finding.sentence for finding in spotless.findings] == [
        f"was changed so often that only the last {MOST_ENTRIES} changes were reviewed"
    ], "an older change of a stranger is not among them, and no one was told"


async def test_what_nobody_ever_reviewed_is_told(real_time: Scene) -> None:
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    await ended(real_time, request_id)
    assert (await reviewed(real_time, timedelta(days=8))).reviewed == 0
    found = await addendum(real_time, request_id)
    assert found is not None
    assert "forgotten" in found.sentence
    assert "never reviewed" in (await standing(real_time))[AlarmKind.PERSISTENCE, request_id].sentence


async def test_a_slow_audit_holds_up_neither_the_reconciliation_nor_a_closing(real_time: Scene) -> None:
    """A large tenant's audit is read for minutes; within the reconciliation every such review was given up."""
    client, queue = real_time.services.client, real_time.settings.task_queue
    over, live = await together(real_time.ask(), real_time.ask("robin"))
    for request_id in (over, live):
        await real_time.until(request_id, GrantState.OPEN)
    await ended(real_time, over)
    real_time.sql(
        "UPDATE grants SET opened_at = opened_at - interval '2 hours', closed_at = closed_at - interval '1 hour'"
        " WHERE closed_at IS NOT NULL"
    )
    real_time.control("PATCH", f"/tenants/{real_time.customer}/users/{real_time.account()}", enabled=True)
    reading = real_time.hold(method="GET", path="/auditLogs/directoryAudits")

    report = await client.execute_workflow(Reconciliation.run, id=f"reconciled-{queue}", task_queue=queue)
    assert (report.closed, real_time.hits(reading)) == (1, 0)
    real_time.assert_closed()
    reviewing = await client.start_workflow(Reviews.run, id=f"reviewed-{queue}", task_queue=queue)
    await real_time.reached(reading)
    await ended(real_time, live)
    report = await client.execute_workflow(Reconciliation.run, id=f"reconciled-{queue}", task_queue=queue)
    assert (report.tenants, report.failed) == (1, 0)
    assert await addendum(real_time, over) is None
    real_time.release(reading)
    assert await reviewing.result() == ReviewsReport(tenants=1, reviewed=1)
    assert await addendum(real_time, over) is not None


async def together(first: Awaitable[str], second: Awaitable[str]) -> tuple[str, str]:
    return await first, await second
