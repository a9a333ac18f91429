"""A ledger that was restored or changed, and a directory that lags or was tampered with, never prove a false closing.

An attacker restored yesterday's ledger while another grant was open: the closing believed that the old grant held the
account, touched nothing, and wrote a receipt that said closed. The account stayed enabled, without an alarm. The signed
marks decide: the newest valid one says which grant has the account and until when, wherever it stands.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from entra_jit.operations.close_all import close_all
from entra_jit.operations.end_access import end_access
from entra_jit.operations.end_for_certain import EndedBy, end_for_certain
from entra_jit.operations.extend_access import extend_access
from entra_jit.operations.list_alarms import list_alarms
from models.messages import GrantState, Proof
from tests.actors import TESTER, operator
from tests.end_to_end.backups import back_up, find_out, put_back
from tests.end_to_end.grant_calls import OPENING_WRITES
from tests.end_to_end.reconciler import reconciled
from tests.patience import eventually
from tests.stage import Scene, Services, scene

MARK = "extensionAttribute15"
HOUR = timedelta(hours=1)


async def opened(act: Scene, hours: float = 1) -> str:
    """A grant that is open; its time stands."""
    request_id = await act.ask(hours=hours, held=True)
    await act.until(request_id, GrantState.OPEN)
    return request_id


async def ended(act: Scene, request_id: str) -> None:
    await end_access(TESTER, act.app, request_id)
    assert (await act.receipt(request_id)).proof is Proof.READ_BACK


def mark(act: Scene) -> str | None:
    """The account's open-until mark, as the directory has it."""
    found: str | None = (act.user() or {})["extension_attributes"].get(MARK)
    return found


def change(act: Scene, **changes: object) -> None:
    """What an administrator of the customer, or an Exchange licence, can do to the account."""
    act.control("PATCH", f"/tenants/{act.customer}/users/{act.account()}", **changes)


def is_open(act: Scene) -> bool:
    return bool((act.user() or {})["enabled"])


async def kinds_of_alarms(act: Scene) -> set[str]:
    return {alarm.kind.value for alarm in await list_alarms(TESTER, act.app)}


async def test_a_restored_ledger_does_not_let_a_grant_pass_for_closed(services: Services, tmp_path: Path) -> None:
    async with scene(services, customers=1, skips_time=True) as act:
        url = act.settings.database_url.get_secret_value()
        first = await opened(act, hours=8)
        await back_up(url, tmp_path / "ledger.backup")
        await ended(act, first)
        second = await opened(act)
        await put_back(url, tmp_path / "ledger.backup")
        await find_out(act)

        # The ledger names the first grant; the directory's mark is newer and names the second.
        assert not (await reconciled(act)).closed
        assert is_open(act)
        assert "marks disagree" in await kinds_of_alarms(act)

        await act.time_passes(second)
        receipt = await act.receipt(second)
        act.assert_closed()
        assert receipt.ending.state is GrantState.EXPIRED
        assert receipt.proof is Proof.READ_BACK
        assert receipt.standing is not None
        assert receipt.standing.held_by is None


async def test_an_account_that_is_left_to_a_newer_grant_is_not_proven_closed(
    services: Services, tmp_path: Path
) -> None:
    async with scene(services, customers=1, skips_time=True) as act:
        url = act.settings.database_url.get_secret_value()
        await ended(act, await opened(act))
        await back_up(url, tmp_path / "ledger.backup")
        forgotten = await opened(act)
        await put_back(url, tmp_path / "ledger.backup")
        await find_out(act)
        newer = await opened(act, hours=8)

        await act.time_passes(forgotten)
        receipt = await act.receipt(forgotten)
        assert is_open(act)
        assert receipt.proof is Proof.HELD
        assert receipt.standing is not None
        assert (receipt.standing.held_by, receipt.standing.enabled) == (newer, True)
        assert not receipt.standing.is_closed
        assert "held by another grant" in await kinds_of_alarms(act)

        await ended(act, newer)
        act.assert_closed()
        await reconciled(act)
        assert "held by another grant" not in await kinds_of_alarms(act)
        assert [addendum.kind.value for addendum in (await act.receipt(forgotten)).addenda] == ["closed later"]


async def test_the_end_of_a_grant_does_not_close_a_newer_one_and_an_emergency_stop_closes_both(
    services: Services, tmp_path: Path
) -> None:
    async with scene(services, customers=1, skips_time=True) as act:
        url = act.settings.database_url.get_secret_value()
        first = await opened(act, hours=8)
        await back_up(url, tmp_path / "ledger.backup")
        await ended(act, first)
        second = await opened(act)
        await put_back(url, tmp_path / "ledger.backup")
        await find_out(act)

        patience = timedelta(seconds=1)
        told = await end_for_certain(operator("kim"), act.app, first, patience=patience)
        assert told.by is EndedBy.NOT_PROVEN
        assert f"the grant {second} holds it" in told.sentence
        assert is_open(act)

        # Whichever grant of the tenant has the account, it is to be closed.
        report = await close_all(operator("kim"), act.app, reason="stolen", tenant=act.customer)
        assert report.is_proven, report.grants[0].sentence
        act.assert_closed()


async def test_the_reconciler_closes_by_the_newest_mark_where_the_workflow_is_gone(
    services: Services, tmp_path: Path
) -> None:
    async with scene(services, customers=1, skips_time=True) as act:
        url = act.settings.database_url.get_secret_value()
        first = await opened(act, hours=8)
        await back_up(url, tmp_path / "ledger.backup")
        await ended(act, first)
        second = await opened(act)
        await act.workflow(second).terminate("by hand")
        await put_back(url, tmp_path / "ledger.backup")
        await find_out(act)

        assert not (await reconciled(act, later=HOUR / 2)).closed
        assert is_open(act)
        assert len((await reconciled(act, later=HOUR + timedelta(minutes=2))).closed) == 1
        act.assert_closed()


@pytest.mark.parametrize("workflow", ["lives", "is gone"])
async def test_a_tampered_ledger_holds_nothing_open_past_its_signed_mark(hours_pass: Scene, workflow: str) -> None:
    """Whoever writes to PostgreSQL gives the grant another name and a later expiry."""
    request_id = await opened(hours_pass)
    hours_pass.sql(
        "INSERT INTO requests (id, tenant, technician, reason_text, requested_by, asked_at)"
        " SELECT 'renamed', tenant, technician, reason_text, requested_by, asked_at FROM requests WHERE id = %s",
        request_id,
    )
    hours_pass.sql("ALTER TABLE grants DISABLE TRIGGER ALL")
    hours_pass.sql("UPDATE grants SET request_id = 'renamed', expires_at = expires_at + interval '5 hours'")
    if workflow == "is gone":
        await hours_pass.workflow(request_id).terminate("by hand")

    assert not (await reconciled(hours_pass, later=HOUR / 2)).closed
    assert is_open(hours_pass)
    if workflow == "lives":
        await hours_pass.time_passes(request_id)
        await hours_pass.receipt(request_id)
    else:
        await reconciled(hours_pass, later=HOUR + timedelta(minutes=2))
    hours_pass.assert_closed()


async def test_an_expiry_that_was_only_moved_in_the_ledger_counts_for_nothing(real_time: Scene) -> None:
    request_id = await opened(real_time)
    real_time.sql("UPDATE grants SET expires_at = expires_at + interval '5 hours', lease_until = '2100-01-01Z'")
    await real_time.workflow(request_id).terminate("by hand")

    assert not (await reconciled(real_time, later=HOUR / 2)).closed
    assert len((await reconciled(real_time, later=HOUR + timedelta(minutes=2))).closed) == 1
    real_time.assert_closed()


async def test_an_old_mark_that_a_technician_puts_back_decides_nothing(hours_pass: Scene) -> None:
    """Neither does a later hour in it keep the account open, nor an earlier one close the grant of another day."""
    earlier = await opened(hours_pass, hours=8)
    old = mark(hours_pass)
    await ended(hours_pass, earlier)

    request_id = await opened(hours_pass)
    change(hours_pass, extension_attributes={MARK: old})
    hours_pass.a_while_later()
    assert not (await reconciled(hours_pass, later=HOUR / 2)).closed
    assert is_open(hours_pass)
    await hours_pass.time_passes(request_id)
    assert (await hours_pass.receipt(request_id)).proof is Proof.READ_BACK
    hours_pass.assert_closed()

    # Put back with the account enabled once nothing is live, it holds nothing open either.
    change(hours_pass, enabled=True, extension_attributes={MARK: old})
    assert len((await reconciled(hours_pass)).closed) == 1
    hours_pass.assert_closed()


async def test_a_closing_without_the_ledger_knows_an_old_mark(hours_pass: Scene) -> None:
    earlier = await opened(hours_pass, hours=8)
    old = mark(hours_pass)
    await ended(hours_pass, earlier)
    request_id = await opened(hours_pass)
    change(hours_pass, extension_attributes={MARK: old})
    hours_pass.a_while_later()

    async def disabled() -> bool | None:
        return not is_open(hours_pass) or None

    with hours_pass.locked("grants"):
        await hours_pass.workflow(request_id).signal("end")
        await eventually(disabled)
    assert (await hours_pass.receipt(request_id)).proof is Proof.READ_BACK
    hours_pass.assert_closed()


async def test_a_replica_that_has_not_heard_of_an_extension_closes_nothing(hours_pass: Scene) -> None:
    request_id = await opened(hours_pass, hours=1)
    before = mark(hours_pass)
    await extend_access(operator("kim"), hours_pass.app, request_id, timedelta(hours=2), "not done yet")
    assert mark(hours_pass) != before
    change(hours_pass, extension_attributes={MARK: before})
    hours_pass.a_while_later()

    assert not (await reconciled(hours_pass, later=HOUR + timedelta(minutes=2))).closed
    assert is_open(hours_pass)
    assert len((await reconciled(hours_pass, later=3 * HOUR + timedelta(minutes=2))).closed) == 1
    hours_pass.assert_closed()


@pytest.mark.parametrize("since", ["before the opening", "while it is open"])
async def test_a_mark_that_exchange_does_not_let_us_write_holds_nothing_up(hours_pass: Scene, since: str) -> None:
    """An account with a mailbox: Microsoft refuses every write to its extension attributes."""
    await ended(hours_pass, await opened(hours_pass))
    if since == "before the opening":
        change(hours_pass, mailbox=True)
    request_id = await opened(hours_pass)
    if since == "while it is open":
        change(hours_pass, mailbox=True)
    hours_pass.a_while_later()
    await extend_access(operator("kim"), hours_pass.app, request_id, timedelta(hours=1), "not done yet")

    assert not (await reconciled(hours_pass, later=HOUR + timedelta(minutes=2))).closed
    assert is_open(hours_pass)
    await hours_pass.time_passes(request_id)
    receipt = await hours_pass.receipt(request_id)
    assert receipt.proof is Proof.READ_BACK
    assert any("originated within an external service" in (step.note or "") for step in receipt.steps)
    assert not is_open(hours_pass)
    # What could not be cleared is no reason to close the account again and again.
    assert not (await reconciled(hours_pass, later=3 * HOUR)).closed
    # And the account can be opened and closed another time.
    await ended(hours_pass, await opened(hours_pass))


async def test_a_mark_of_a_settled_grant_is_not_left_an_account_by_a_closing(hours_pass: Scene) -> None:
    """Exchange kept the mark of the earlier grant: it was newer than any of the one that ends without having one."""
    earlier = await opened(hours_pass, hours=8)
    change(hours_pass, mailbox=True)
    await ended(hours_pass, earlier)
    assert mark(hours_pass)
    preparing = hours_pass.hold(**OPENING_WRITES["assign a role"])
    request_id = await hours_pass.ask(hours=1)
    await hours_pass.reached(preparing)

    await end_access(TESTER, hours_pass.app, request_id)
    hours_pass.release(preparing)

    receipt = await hours_pass.receipt(request_id)
    assert receipt.standing is not None
    assert receipt.standing.is_closed
