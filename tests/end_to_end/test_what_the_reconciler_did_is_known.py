"""Everything done to an account has its reason in the ledger, also what is done beside its grant's workflow.

The reconciler reported what it had closed only when it was finished. A storm killed its worker in between: accounts
had been closed, and neither ledger nor receipt said by whom or why; the receipt that came ten minutes later counted
those ten minutes as lateness. And a technician who terminated the workflow escaped the sweep.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from entra_jit.accounts.directories import Purpose
from entra_jit.accounts.interventions import Intervention
from entra_jit.accounts.proving import NotProvenError
from entra_jit.ledger import alarms, interventions
from entra_jit.operations.reconcile import reconcile
from entra_jit.operations.show_receipt import show_receipt
from models.actor import EMERGENCY_STOP, RECONCILER
from models.alarms import Alarm, AlarmKind
from models.messages import AddendumKind, GrantState, ObjectId, Receipt, TenantId
from models.sweep import FindingKind
from tests.actors import TESTER
from tests.end_to_end.grant_calls import OPENING_WRITES
from tests.end_to_end.misbehaving import Misbehaving, open_for_everything
from tests.end_to_end.reconciler import reconciled, reconciled_once
from tests.hanging_postgres import postgres_hangs
from tests.stage import REVOKE, Scene, customer_id

pytestmark = pytest.mark.spine


async def terminated(act: Scene, request_id: str) -> None:
    """Somebody terminates the workflow by hand; a little later its grant has expired."""
    await act.workflow(request_id).terminate("by hand")
    time_went_by(act, "3 hours")
    act.sql("UPDATE grants SET expires_at = now() - interval '2 minutes'")


def time_went_by(act: Scene, interval: str) -> None:
    """Everything that the ledger knows of is so much longer ago."""
    for moment in ("armed_at", "opened_at", "expires_at", "settled_at", "closed_at"):
        act.sql(f"UPDATE grants SET {moment} = {moment} - interval '{interval}'")  # noqa: S608
    for moment in ("began_at", "disabled_at", "proven_at"):
        # The journal lets nobody do this, but time itself.
        act.sql(f"""
            DO $$ BEGIN
                SET LOCAL session_replication_role = replica;
                UPDATE events SET body = jsonb_set(body, '{{{moment}}}',
                    to_jsonb((body ->> '{moment}')::timestamptz - interval '{interval}'))
                WHERE kind ~ '^intervention' AND body ->> '{moment}' IS NOT NULL;
            END $$
        """)  # noqa: S608


async def settled(act: Scene, request_id: str) -> Receipt:
    """Its receipt, once its workflow counts as gone."""
    time_went_by(act, "15 minutes")
    await reconciled(act)
    return await show_receipt(TESTER, act.app, request_id)


async def standing(act: Scene, kind: AlarmKind) -> list[Alarm]:
    async with act.app.ledger.transaction() as session:
        return await alarms.listed(session, kind=kind)


async def interventions_of(act: Scene, request_id: str) -> Sequence[interventions.Told]:
    async with act.app.ledger.transaction() as session:
        return await interventions.of_request(session, request_id)


async def opened(act: Scene) -> str:
    request_id = await act.ask(hours=1)
    await act.until(request_id, GrantState.OPEN)
    return request_id


async def over(act: Scene) -> str:
    """A grant that has come to its end, an hour ago."""
    request_id = await opened(act)
    await act.workflow(request_id).signal("end")
    await act.receipt(request_id)
    time_went_by(act, "1 hour")
    return request_id


@pytest.mark.exact("stops a run in the middle of one call")
async def test_a_run_that_dies_half_way_has_said_what_it_was_about_to_do(real_time: Scene) -> None:
    request_id = await opened(real_time)
    await terminated(real_time, request_id)
    half_way = real_time.hold(method="GET", path="/users/*/authentication/methods", app=REVOKE)
    dying = asyncio.create_task(reconciled(real_time))
    await real_time.reached(half_way)
    dying.cancel()
    real_time.release(half_way)

    [began] = await interventions_of(real_time, request_id)
    assert began.by == RECONCILER
    assert "expired" in began.because
    assert began.proven_at is None

    await reconciled(real_time)
    real_time.assert_closed()
    assert len(await interventions_of(real_time, request_id)) == 2


@pytest.mark.exact("counts what one run has done, of which lag makes several")
async def test_the_lateness_is_counted_to_the_disabling_not_to_the_settling(real_time: Scene) -> None:
    request_id = await opened(real_time)
    await terminated(real_time, request_id)
    await reconciled(real_time)

    receipt = await settled(real_time, request_id)

    [first, second] = [step for step in receipt.steps if step.name == "closed by the reconciler"]
    assert "expired" in (first.note or "")
    assert "was not settled" in (second.note or "")
    assert all(call.request_id for call in first.calls)
    assert receipt.disabled_at == first.at
    assert receipt.lateness is not None
    assert receipt.proven_lateness is not None
    assert receipt.lateness < receipt.proven_lateness - (second.at - first.at) / 2


@pytest.mark.exact("counts what one run has done, of which lag makes several")
async def test_what_was_opened_again_in_between_is_late_until_it_was_shut_for_good(real_time: Scene) -> None:
    request_id = await opened(real_time)
    await terminated(real_time, request_id)
    await reconciled(real_time)
    real_time.control("PATCH", f"/tenants/{real_time.customer}/users/{real_time.account()}", enabled=True)
    real_time.a_while_later()

    receipt = await settled(real_time, request_id)

    [first, second] = [step for step in receipt.steps if step.name == "closed by the reconciler"]
    assert receipt.disabled_at == second.at
    assert first.at < second.at


@pytest.mark.exact("a person does not repeat what a late replica refuses")
async def test_who_terminates_a_workflow_is_looked_at_all_the_same(real_time: Scene) -> None:
    request_id = await open_for_everything(real_time)
    with await Misbehaving.signed_in(real_time, request_id) as alex:
        alex.takes_a_role()
        alex.joins_a_group()
        alex.registers_a_phone()
        alex.takes_over_an_application()
    await terminated(real_time, request_id)
    await reconciled(real_time)

    # What was taken away at the expiry is told, although the receipt is written by a later run that finds nothing.
    receipt = await settled(real_time, request_id)

    assert receipt.swept
    assert receipt.unswept is None
    removed = sorted(finding.kind for finding in receipt.findings if finding.removed)
    assert removed == [FindingKind.MEMBERSHIP, FindingKind.ROLE, FindingKind.SIGN_IN_METHOD]
    assert {finding.kind for finding in receipt.findings if finding.alarming} == {FindingKind.OWNERSHIP}
    [alarm] = await standing(real_time, AlarmKind.PERSISTENCE)
    assert alarm.subject == request_id
    assert "Payroll" in alarm.sentence


async def test_what_the_grant_has_given_is_no_finding(real_time: Scene) -> None:
    request_id = await opened(real_time)
    await terminated(real_time, request_id)
    time_went_by(real_time, "15 minutes")
    await reconciled(real_time)
    receipt = await show_receipt(TESTER, real_time.app, request_id)
    assert receipt.access
    assert receipt.findings == ()


@pytest.mark.exact("closes more often than Microsoft's limits allow")
async def test_what_is_taken_from_an_account_after_its_receipt_was_written_is_added_to_it(real_time: Scene) -> None:
    """An emergency stop and the grant's own workflow close the same account at the same time."""
    request_id = await over(real_time)
    account = f"/tenants/{real_time.customer}/users/{real_time.account()}"
    tenant = await real_time.app.directories.of(TenantId(customer_id(real_time.customer)), Purpose.REVOKE)
    user = await tenant.users.find(real_time.account())
    assert user is not None
    stop = Intervention(real_time.app, EMERGENCY_STOP, "a stolen laptop", request_id)
    await stop.close(tenant, user)
    assert (await show_receipt(TESTER, real_time.app, request_id)).addenda == (), "nothing was found"

    real_time.control("POST", f"{account}/roles", roles=["Helpdesk Administrator"])
    real_time.a_while_later()
    for _ in range(2):
        await stop.close(tenant, user)
    [addendum] = (await show_receipt(TESTER, real_time.app, request_id)).addenda
    assert addendum.kind is AddendumKind.CLOSED_BESIDE
    assert "the emergency stop" in addendum.sentence
    [finding] = addendum.findings
    assert "Helpdesk Administrator" in finding.sentence


@pytest.mark.exact("holds one call up for longer than its lease")
async def test_an_opening_that_takes_effect_after_the_proof_is_told_by_the_receipt(hours_pass: Scene) -> None:
    """The reconciler closed the account, and neither receipt nor intervention said whose opening that had been."""
    enabling = hours_pass.hold(**OPENING_WRITES["enable"])
    request_id = await hours_pass.ask()
    await hours_pass.reached(enabling)
    await hours_pass.workflow(request_id).signal("end")
    assert (await hours_pass.receipt(request_id)).proof.is_proven
    await hours_pass.lands(enabling)
    hours_pass.a_while_later()

    for _ in range(2):
        await reconciled(hours_pass)

    hours_pass.assert_closed()
    [closed] = await interventions_of(hours_pass, request_id)
    assert closed.proven_at is not None
    [addendum] = (await show_receipt(TESTER, hours_pass.app, request_id)).addenda
    assert addendum.kind is AddendumKind.OPENED_AGAIN
    [alarm] = await standing(hours_pass, AlarmKind.OPENED_AGAIN)
    assert alarm.subject == request_id
    assert await standing(hours_pass, AlarmKind.FOREIGN_CHANGE) == [], "it was our own"


@pytest.mark.exact("stops a run in the middle of one call")
async def test_nothing_is_proven_by_what_was_written_before_an_opening_may_have_landed(real_time: Scene) -> None:
    """Read after the lease, by a replica that had not heard of an opening which landed after the disabling."""
    request_id = await over(real_time)
    tenant = await real_time.app.directories.of(TenantId(customer_id(real_time.customer)), Purpose.REVOKE)
    user = await tenant.users.find(real_time.account())
    assert user is not None
    half_way = real_time.hold(method="GET", path="/users/*/memberOf", app=REVOKE)
    until = real_time.app.clock() + timedelta(seconds=1)
    stop = Intervention(real_time.app, EMERGENCY_STOP, "a stolen laptop", request_id, under_way_until=until)
    closing = asyncio.create_task(stop.close(tenant, user))
    await real_time.reached(half_way)
    await asyncio.sleep(1)
    real_time.release(half_way)
    with pytest.raises(NotProvenError):
        await closing
    assert (await stop.close(tenant, user)).standing.is_closed


async def test_somebody_who_opens_a_closed_account_is_told_of(real_time: Scene) -> None:
    await over(real_time)
    account = f"/tenants/{real_time.customer}/users/{real_time.account()}"
    real_time.control("PATCH", account, enabled=True)
    real_time.a_while_later()

    report = await reconciled(real_time)

    real_time.assert_closed()
    [alarm] = await standing(real_time, AlarmKind.FOREIGN_CHANGE)
    assert alarm.subject == real_time.account()
    assert "enabled without a live grant" in alarm.sentence
    assert alarm.sentence in report.reported
    last = "SELECT request_id, body ->> 'proven_at' IS NOT NULL FROM events WHERE kind = 'intervention reported'"
    assert real_time.sql(f"{last} ORDER BY id DESC LIMIT 1") == [(None, True)]

    real_time.control("POST", f"{account}/roles", roles=["Exchange Administrator"])
    real_time.a_while_later()
    await reconciled(real_time)
    real_time.assert_closed()
    [alarm] = await standing(real_time, AlarmKind.FOREIGN_CHANGE)
    assert "not fully closed" in alarm.sentence


@pytest.mark.exact("stops a run in the middle of one call")
async def test_a_grant_that_begins_while_a_tenant_is_looked_at_is_left_alone(real_time: Scene) -> None:
    """What the ledger says is read once for a tenant, and a planted role is found minutes later."""
    await over(real_time)
    account = f"/tenants/{real_time.customer}/users/{real_time.account()}"
    real_time.control("POST", f"{account}/roles", roles=["Helpdesk Administrator"])
    looking = real_time.hold(app=REVOKE, method="GET", path="/users/*/memberOf")
    looks = asyncio.create_task(reconciled(real_time))
    await real_time.reached(looking)
    await opened(real_time)
    real_time.release(looking)
    report = await looks
    assert not report.closed
    assert (real_time.user() or {})["enabled"]
    assert not await standing(real_time, AlarmKind.FOREIGN_CHANGE)


@pytest.mark.exact("counts what one run has read")
async def test_without_temporal_what_is_due_is_reviewed_too(real_time: Scene) -> None:
    await over(real_time)
    [first] = await reconcile(TESTER, real_time.app)
    [second] = await reconcile(TESTER, real_time.app)
    assert (first.reviewed, first.unreviewed, second.reviewed) == (1, None, 0)
    real_time.fault(method="GET", path="/auditLogs/directoryAudits", status=403)
    await over(real_time)
    [third] = await reconcile(TESTER, real_time.app)
    assert (third.failed, third.reviewed) == (None, 0)
    assert third.unreviewed


@contextmanager
def without_a_journal(act: Scene) -> Iterator[None]:
    act.sql("ALTER TABLE events RENAME TO mislaid")
    yield


@contextmanager
def refusing_entries(act: Scene) -> Iterator[None]:
    act.sql("ALTER TABLE events ADD CHECK (kind !~ '^intervention')")
    yield


@contextmanager
def hanging(act: Scene) -> Iterator[None]:
    ledger = act.app.ledger
    ledger.transaction_timeout = ledger.closing_waits = timedelta(seconds=0.5)
    with postgres_hangs(act.settings.database_url.get_secret_value()):
        yield


@pytest.mark.exact("closes once, and looks at once")
@pytest.mark.parametrize("ledger", [without_a_journal, refusing_entries, hanging])
async def test_whatever_the_ledger_does_keeps_nothing_open(
    real_time: Scene, ledger: Callable[[Scene], AbstractContextManager[None]]
) -> None:
    request_id = await opened(real_time)
    await real_time.workflow(request_id).terminate("by hand")
    unknown = ObjectId(str(UUID(int=1)))
    with ledger(real_time):
        report = await reconciled_once(real_time, later=timedelta(hours=1, minutes=2))
        assert not await real_time.app.registered.know(TenantId(customer_id(real_time.customer)), unknown)
    assert len(report.closed) == 1
    real_time.assert_closed()
