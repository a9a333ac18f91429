"""The ledger is restored from an old backup, or empty, or Temporal has lost every grant: no account stays open.

A closing that works from a list of opened accounts misses those that a restored backup no longer lists. A closing that
relies on the scheduler alone never happens once the scheduler's database is gone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.operatorservice.v1 import DeleteNamespaceRequest
from temporalio.service import RPCError

from entra_jit.accounts.ledger_watch import LedgerWatch
from entra_jit.accounts.reconciliation.overdue import OverdueReconciliation
from entra_jit.closer import RevokingBackend
from entra_jit.ledger.receipts import FORGOTTEN
from entra_jit.ledger.reconciliation import SETTLED_AFTER
from entra_jit.local_stack.stack import LocalStack
from entra_jit.operations.end_access import end_access
from entra_jit.operations.list_alarms import list_alarms
from entra_jit.operations.reconcile import reconcile
from entra_jit.operations.register_accounts import register_accounts
from entra_jit.operations.show_receipt import show_receipt
from entra_jit.policy.reconciliation import GRACE
from entra_jit.temporal.arriving import arrive
from entra_jit.temporal.connect import EngineUnreachableError
from entra_jit.temporal.schedules import RECONCILIATION_ID
from models.actor import LEDGER, RECONCILER
from models.alarms import AlarmKind
from models.errors import NotFoundError, RefusedError
from models.messages import GrantState
from tests.actors import TESTER
from tests.end_to_end.backups import back_up, empty, find_out, put_back
from tests.end_to_end.grant_calls import OPENING_WRITES
from tests.end_to_end.reconciler import reconciled
from tests.end_to_end.whole_stack import whole_stack
from tests.patience import eventually
from tests.stage import Scene, Services, configure, scene

HOUR = timedelta(hours=1)


async def opened(stage: Scene, technician: str, customer: str) -> str:
    """A grant of an hour that is open; its time stands."""
    request_id = await stage.ask(technician, customer=customer, hours=1, held=True)
    await stage.until(request_id, GrantState.OPEN)
    return request_id


def id_of(stage: Scene, technician: str, customer: str) -> str:
    """The object id of the technician's account there."""
    user = stage.user(stage.account(technician, customer), customer)
    assert user is not None
    return str(user["id"])


def is_open(stage: Scene, technician: str, customer: str) -> bool:
    """Whether the technician's account there is enabled."""
    user = stage.user(stage.account(technician, customer), customer)
    assert user is not None
    return bool(user["enabled"])


def are_read_before_they_are_closed(calls: list[dict[str, Any]]) -> bool:
    """Each account, by its id: a listing may be older than what has become of the account."""
    did = [(call["method"], call["path"].partition("?")[0]) for call in calls]
    closed = {path for method, path in did if method == "PATCH"}
    return bool(closed) and all(did.index(("GET", path)) < did.index(("PATCH", path)) for path in closed)


async def test_a_ledger_restored_from_a_backup_that_knows_nothing_of_what_is_open(
    services: Services, tmp_path: Path
) -> None:
    async with scene(services, customers=3, skips_time=True) as stage:
        url = stage.settings.database_url.get_secret_value()
        old, new, half = stage.customers
        lasting, ended_since = await opened(stage, "alex", old), await opened(stage, "robin", old)
        await back_up(url, tmp_path / "ledger.backup")
        await end_access(TESTER, stage.app, ended_since)
        await stage.receipt(ended_since)
        forgotten, orphaned = await opened(stage, "alex", new), await opened(stage, "robin", new)
        await stage.workflow(orphaned).terminate("by hand")
        enabling = stage.fault(customer=half, **OPENING_WRITES["enable"], status=503)
        half_way = await stage.ask(customer=half, hours=1, held=True)
        await stage.reached(enabling)

        await put_back(url, tmp_path / "ledger.backup")
        await find_out(stage)
        stage.mend()

        # What has a workflow needs nobody else: it is closed on time, or can never be opened any more.
        await stage.time_passes(forgotten)
        receipt = await stage.receipt(forgotten)
        assert receipt.ending.state is GrantState.EXPIRED
        assert receipt.standing is not None
        assert receipt.standing.is_closed
        assert (receipt.account_name, receipt.object_id) == (stage.account("alex", new), id_of(stage, "alex", new))
        assert receipt.access
        assert receipt.opened_at is not None
        assert receipt.decision == FORGOTTEN
        assert FORGOTTEN in receipt.alarms
        # It is reviewed like any other, half an hour after its closing.
        due = stage.sql("SELECT settled_at FROM grants WHERE request_id = %s AND armed_at IS NOT NULL", forgotten)
        assert due == [(receipt.settled_at,)]
        stage.assert_closed(stage.account("alex", new), new)
        with suppress(RPCError):  # it may be over already
            await stage.time_passes(half_way)
        assert (await stage.receipt(half_way)).ending.by == LEDGER
        stage.assert_closed(customer=half)

        # What has none is closed when its signed mark expires; what the ledger still knows goes on.
        assert not (await reconciled(stage, new)).closed
        assert is_open(stage, "robin", new)
        [closed] = (await reconciled(stage, new, later=HOUR + 2 * GRACE)).closed
        assert stage.account("robin", new) in closed
        stage.assert_closed(stage.account("robin", new), new)
        assert not (await reconciled(stage, old)).closed
        assert is_open(stage, "alex", old)
        await end_access(TESTER, stage.app, lasting)
        assert (await stage.receipt(lasting)).ending.state is GrantState.ENDED
        stage.assert_closed(stage.account("alex", old), old)

        # A grant that was over and is live again in the old ledger: its account stays closed, and its place comes free.
        stage.assert_closed(stage.account("robin", old), old)
        await reconciled(stage, old, later=HOUR + SETTLED_AFTER)
        assert (await show_receipt(TESTER, stage.app, ended_since)).ending.by == RECONCILER
        stage.assert_closed(stage.account("robin", old), old)

        # An account that the ledger has forgotten is not opened again before somebody has looked at it.
        again = await stage.receipt(await stage.ask(customer=new))
        assert again.ending.state is GrantState.DENIED
        stage.assert_closed(stage.account("alex", new), new)


async def test_an_empty_ledger_whose_accounts_are_known_by_their_owner_tags_alone(services: Services) -> None:
    async with scene(services, customers=2, skips_time=True) as stage:
        here, there = stage.customers
        living, orphaned = await opened(stage, "alex", here), await opened(stage, "alex", there)
        await stage.workflow(orphaned).terminate("by hand")
        over = await opened(stage, "robin", there)
        await end_access(TESTER, stage.app, over)
        await stage.receipt(over)
        robins = stage.account("robin", there)
        stage.control("POST", f"/tenants/{there}/users/{robins}/roles", roles=["Exchange Administrator"])
        stranger = f"msp-stranger@{there}.onmicrosoft.com"
        stage.control(
            "POST", f"/tenants/{there}/users", user_principal_name=stranger, display_name="Stranger", enabled=True
        )
        foreign = [stage.user(stranger, there), stage.user(f"first.admin@{there}.onmicrosoft.com", there)]

        await empty(stage.settings.database_url.get_secret_value())
        await find_out(stage)
        await configure(stage)

        # What is open stays so until its signed mark expires, which closes it for want of a workflow.
        assert not (await reconciled(stage, here)).closed
        before = len(stage.journal(there))
        assert len((await reconciled(stage, there)).closed) == 1
        assert len((await reconciled(stage, there, later=HOUR + 2 * GRACE)).closed) == 1
        assert are_read_before_they_are_closed(stage.journal(there)[before:])
        assert is_open(stage, "alex", here)
        for technician in ("alex", "robin"):
            stage.assert_closed(stage.account(technician, there), there)
        assert foreign == [stage.user(stranger, there), stage.user(f"first.admin@{there}.onmicrosoft.com", there)]
        assert not (await reconciled(stage, there)).closed

        # The workflow that is left comes to its end, and its receipt into the new ledger.
        await stage.time_passes(living)
        assert (await stage.receipt(living)).ending.state is GrantState.EXPIRED
        stage.assert_closed(stage.account("alex", here), here)

        # Its technicians are let in again once an operator has looked and said so.
        assert (await stage.receipt(await stage.ask(customer=there))).ending.state is GrantState.DENIED
        ours = {stage.account(technician, there): technician for technician in ("alex", "robin")}
        for do in (False, True):
            shown = await register_accounts(TESTER, stage.app, there, do=do)
            assert {account.account_name: account.technician for account in shown} == ours
            assert not [account.because for account in shown if account.because]
        assert not await register_accounts(TESTER, stage.app, there, do=True)
        assert (await stage.receipt(await stage.ask(customer=there))).ending.state is GrantState.EXPIRED
        stage.assert_closed(stage.account("alex", there), there)


async def test_what_is_open_or_not_ours_is_not_registered(real_time: Scene) -> None:
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    await real_time.workflow(request_id).terminate("by hand")
    ours = real_time.user() or {}
    tag = ours["extension_attributes"]["extensionAttribute14"]
    where, thief = f"/tenants/{real_time.customer}/users", f"msp-kim@{real_time.customer}.onmicrosoft.com"
    attributes = {"extensionAttribute14": tag}
    real_time.control("POST", where, user_principal_name=thief, display_name="K", extension_attributes=attributes)
    real_time.a_while_later()
    await empty(real_time.settings.database_url.get_secret_value())
    await find_out(real_time)
    await configure(real_time)

    shown = {
        account.account_name: account
        for account in await register_accounts(TESTER, real_time.app, real_time.customer, do=True)
    }

    assert "reconcile first" in (shown[real_time.account()].because or "")
    assert "to another account" in (shown[thief].because or "")
    assert not real_time.sql("SELECT account_name FROM managed_accounts")
    with pytest.raises(NotFoundError):
        await register_accounts(TESTER, real_time.app, "nobody", do=True)


async def test_temporal_has_lost_every_grant(state: Path) -> None:
    async with whole_stack(state / "no-temporal") as (stack, stage):
        grants = {
            "long over": await stage.ask("alex", customer="contoso", hours=1),
            "just over": await stage.ask("robin", customer="contoso", hours=1),
            "live": await stage.ask("alex", customer="fabrikam", hours=1),
            "due": await stage.ask("robin", customer="fabrikam", hours=1),
        }
        for request_id in grants.values():
            await stage.until(request_id, GrantState.OPEN)

        await stack.kill_worker()
        await stack.lose_temporal()
        # The closer needs neither Temporal nor a worker.
        due_at = "UPDATE grants SET expires_at = clock_timestamp() + interval '1 s' WHERE request_id = %s"
        stage.sql(due_at, grants["due"])
        await eventually(closed(stage, "robin", "fabrikam"))
        passes(stage, grants["long over"], HOUR + SETTLED_AFTER)
        passes(stage, grants["just over"], HOUR + 2 * GRACE)
        await stack.start_worker()

        # Its first act is to have the tenants reconciled: nobody asks for it.
        async def settled() -> bool | None:
            return bool(stage.sql("SELECT request_id FROM receipts WHERE request_id = %s", grants["long over"])) or None

        await eventually(settled)
        await stage.services.client.get_schedule_handle(RECONCILIATION_ID).describe()
        receipt = await show_receipt(TESTER, stage.app, grants["long over"])
        assert receipt.ending.by == RECONCILER
        assert receipt.standing is not None
        assert receipt.standing.is_closed
        stage.assert_closed(stage.account("alex", "contoso"), "contoso")
        await eventually(closed(stage, "robin", "contoso"))
        with pytest.raises(RefusedError, match="written when it is over"):
            await show_receipt(TESTER, stage.app, grants["just over"])

        # What was not over yet is let go on, and cannot be forgotten.
        assert is_open(stage, "alex", "fabrikam")
        passes(stage, grants["live"], HOUR + 2 * GRACE)
        await reconcile(TESTER, stage.app)
        stage.assert_closed(stage.account("alex", "fabrikam"), "fabrikam")
        for name in ("just over", "live"):
            passes(stage, grants[name], SETTLED_AFTER)
        await reconcile(TESTER, stage.app)
        for name in ("just over", "live"):
            assert (await show_receipt(TESTER, stage.app, grants[name])).ending.by == RECONCILER

        # And everybody's place is free again.
        again = await stage.ask("alex", customer="contoso", hours=1)
        await stage.until(again, GrantState.OPEN)
        await end_access(TESTER, stage.app, again)
        assert (await stage.receipt(again)).ending.state is GrantState.ENDED
        await _its_namespace_is_deleted(stack, stage)


async def _its_namespace_is_deleted(stack: LocalStack, stage: Scene) -> None:
    """What is over is closed, settled and told all the same, and a worker says what it lacks."""
    homeless = await stage.ask("alex", customer="contoso", hours=1)
    await stage.until(homeless, GrantState.OPEN)
    service = stage.services.client.operator_service
    await service.delete_namespace(DeleteNamespaceRequest(namespace=stack.addresses.namespace))
    stage.sql("UPDATE grants SET expires_at = clock_timestamp() + interval '1 s' WHERE request_id = %s", homeless)
    await eventually(closed(stage, "alex", "contoso"))
    passes(stage, homeless, timedelta(minutes=30))
    await LedgerWatch(stage.app).look()
    with pytest.raises(EngineUnreachableError):
        await arrive(stage.app.temporal, stage.app, tries_for=timedelta(0))
    told = {(alarm.kind, alarm.subject) for alarm in await list_alarms(TESTER, stage.app)}
    assert {(AlarmKind.CLOSING_LATE, homeless), (AlarmKind.TEMPORAL_AWAY, "deployment")} <= told
    async with RevokingBackend(stage.settings) as closers:
        stage.sql("DELETE FROM reconciliations")
        assert await OverdueReconciliation(closers).once()
    receipt = await show_receipt(TESTER, stage.app, homeless)
    assert receipt.ending.by == RECONCILER
    assert receipt.standing is not None
    assert receipt.standing.is_closed


def passes(stage: Scene, request_id: str, time: timedelta) -> None:
    """Let the ledger have it that everything about the grant was so much earlier."""
    stage.sql(
        "UPDATE grants SET armed_at = armed_at - %s, opened_at = opened_at - %s, expires_at = expires_at - %s,"
        " window_ends_at = window_ends_at - %s WHERE request_id = %s",
        *(time,) * 4,
        request_id,
    )


def closed(stage: Scene, technician: str, customer: str) -> Callable[[], Awaitable[bool | None]]:
    """Looks whether the technician's account there is disabled."""

    async def look() -> bool | None:
        return not is_open(stage, technician, customer) or None

    return look
