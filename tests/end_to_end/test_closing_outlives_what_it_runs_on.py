"""The database stops or the worker is killed, and accounts are closed on time all the same.

A closing that must first read or write a database leaves every account open while the database is down. A closing step
that died with its worker must be noticed and repeated.
"""

from __future__ import annotations

import stat
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from entra_jit.accounts.directories import Purpose
from entra_jit.accounts.on_time.known_beforehand import KnownBeforehand
from entra_jit.app import App
from entra_jit.ledger.database import LedgerUnavailableError
from models.messages import GrantState, TenantId
from tests.end_to_end.grant_calls import CLOSING_WRITES, FIRST_IS_A_TRIAL, OPENING_WRITES
from tests.end_to_end.lost_tries import SILENCE, lost_try
from tests.end_to_end.whole_stack import whole_stack
from tests.patience import eventually
from tests.stage import ON_TIME, Scene, customer_id

SHORT_HOURS = 20 / 3600
"""A real wait, long enough for a busy machine to open the account and to stop a part."""

AN_HOUR_AND_SECONDS = 1.01


async def test_postgresql_is_down_when_a_grant_expires_and_when_another_is_asked_for(state: Path) -> None:
    async with whole_stack(state / "without-postgres") as (stack, stage):
        expiring = await stage.ask("alex", customer="contoso", hours=SHORT_HOURS)
        open_ = await stage.until(expiring, GrantState.OPEN)
        assert open_.expires_at is not None
        await _kept(stack.state_dir / "worker.sealed", open_.expires_at - timedelta(seconds=SHORT_HOURS * 3600))

        await stack.stop_postgres()
        await stack.kill_closer()
        await stack.kill_worker()
        await stack.start_worker()  # without the ledger, by what it has kept
        asked = await stage.ask("robin", customer="fabrikam", hours=1)
        await stage.closes(stage.account("alex", "contoso"), "contoso")
        description = await stage.workflow(expiring).describe()
        assert description.status is WorkflowExecutionStatus.RUNNING, "it ended without a receipt"
        assert stage.user(stage.account("robin", "fabrikam"), "fabrikam") is None

        back_at = datetime.now(UTC)
        await stack.start_postgres()
        with suppress(LedgerUnavailableError):  # our own connections find out, too
            await stage.status(expiring)
        receipt = await stage.receipt(expiring)
        assert receipt.ending.state is GrantState.EXPIRED
        assert receipt.disabled_at is not None
        assert receipt.disabled_at < back_at
        assert receipt.standing is not None
        assert receipt.standing.is_closed
        stage.assert_closed(stage.account("alex", "contoso"), "contoso")
        await stage.until(asked, GrantState.OPEN)
        await stage.workflow(asked).signal("end")
        assert (await stage.receipt(asked)).ending.state is GrantState.ENDED


async def _kept(file: Path, since: datetime) -> None:
    """Wait until a worker has kept what it knows of the grant that was opened then."""

    async def newer() -> bool | None:
        is_there = file.exists()  # noqa: ASYNC240
        return (is_there and file.stat().st_mtime > since.timestamp()) or None  # noqa: ASYNC240

    await eventually(newer)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600  # noqa: ASYNC240


async def test_a_worker_that_starts_without_the_ledger_closes_and_opens_nothing(
    real_time: Scene, tmp_path: Path
) -> None:
    settings = real_time.settings.model_copy(update={"sealed_cache": tmp_path / "sealed"})
    nowhere = settings.model_copy(update={"database_url": SecretStr("postgresql://127.0.0.1:1/none")})
    client = real_time.services.client
    request_id = await real_time.ask("alex", hours=1)
    await real_time.until(request_id, GrantState.OPEN)
    for worker in list(real_time.workers):
        await real_time.stop_worker(worker)
    async with App(settings, client=client) as before:
        await KnownBeforehand(before).keep_once()
    async with App(nowhere, client=client) as app:
        assert await KnownBeforehand(app).read() == 1
        lonely = await real_time.start_worker(app)
        await real_time.workflow(request_id).signal("end")
        await real_time.closes()
        with pytest.raises(LedgerUnavailableError):
            await app.directories.of(TenantId(customer_id(real_time.customer)), Purpose.ELEVATE)
        asked = await real_time.ask("robin", hours=1)
        await real_time.stop_worker(lonely)
        assert real_time.user(real_time.account("robin")) is None
    await real_time.start_worker()
    assert (await real_time.receipt(request_id)).ending.state is GrantState.ENDED
    await real_time.until(asked, GrantState.OPEN)


async def test_a_worker_without_ledger_and_without_a_file_says_so(real_time: Scene, tmp_path: Path) -> None:
    update = {"database_url": SecretStr("postgresql://127.0.0.1:1/none"), "sealed_cache": tmp_path / "sealed"}
    (tmp_path / "sealed").write_bytes(b"k\nnothing of ours")
    async with App(real_time.settings.model_copy(update=update)) as app:
        with pytest.raises(LedgerUnavailableError):
            await KnownBeforehand(app).read()


@pytest.mark.parametrize("lost", ["grants", "receipts", "managed_accounts", "tenant_credentials"])
async def test_a_ledger_that_answers_and_knows_nothing_keeps_nothing_open(hours_pass: Scene, lost: str) -> None:
    """In the middle of a restore PostgreSQL is there, and its tables are not."""
    request_id = await hours_pass.ask(hours=1, held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    hours_pass.sql(f"ALTER TABLE {lost} RENAME TO being_restored")

    await hours_pass.time_passes(request_id, AN_HOUR_AND_SECONDS)
    await hours_pass.closes()

    hours_pass.sql(f"ALTER TABLE being_restored RENAME TO {lost}")
    with suppress(RPCError):  # it may be over already
        await hours_pass.time_passes(request_id)
    receipt = await hours_pass.receipt(request_id)
    assert receipt.ending.state is GrantState.EXPIRED
    assert receipt.standing is not None
    assert receipt.standing.is_closed
    hours_pass.assert_closed()


async def test_an_old_mark_put_back_holds_up_no_closing_while_the_ledger_is_away(hours_pass: Scene) -> None:
    """The mark of an earlier grant is genuine, and not over yet. It said that the account was that grant's to close."""
    earlier = await hours_pass.ask(hours=8, held=True)
    await hours_pass.until(earlier, GrantState.OPEN)
    mark = (hours_pass.user() or {})["extension_attributes"]["extensionAttribute15"]
    await hours_pass.workflow(earlier).signal("end")
    await hours_pass.receipt(earlier)
    request_id = await hours_pass.ask(hours=1, held=True)
    await hours_pass.until(request_id, GrantState.OPEN)
    account = f"/tenants/{hours_pass.customer}/users/{hours_pass.account()}"
    hours_pass.control("PATCH", account, extension_attributes={"extensionAttribute15": mark})
    hours_pass.sql("ALTER TABLE grants RENAME TO mislaid")

    await hours_pass.time_passes(request_id, AN_HOUR_AND_SECONDS)
    await hours_pass.closes()

    hours_pass.sql("ALTER TABLE mislaid RENAME TO grants")
    with suppress(RPCError):  # it may be over already
        await hours_pass.time_passes(request_id)
    receipt = await hours_pass.receipt(request_id)
    assert receipt.standing is not None
    assert receipt.standing.held_by is None
    assert receipt.disabled_at is not None
    hours_pass.assert_closed()


@pytest.mark.long
async def test_a_worker_killed_in_the_middle_of_opening_and_of_closing(state: Path) -> None:
    async with whole_stack(state / "killed-worker") as (stack, stage):
        # What dies with the worker has no effect: somebody has to do it again.
        closing = stage.hold(customer="contoso", **CLOSING_WRITES["disable"], drop="before", **FIRST_IS_A_TRIAL)
        stage.fault(customer="contoso", **CLOSING_WRITES["remove a role"], status=503, count=1)
        opening = stage.hold(customer="fabrikam", **OPENING_WRITES["enable"])
        ended = await stage.ask("alex", customer="contoso", hours=1)
        await stage.until(ended, GrantState.OPEN)
        opened = await stage.ask("robin", customer="fabrikam", hours=SHORT_HOURS)
        await stage.reached(opening)
        await stage.workflow(ended).signal("end")
        await stage.reached(closing)

        await stack.kill_worker()
        for held in (closing, opening):
            stage.release(held)

        async def half_open() -> bool | None:
            """The opening has happened, and nobody has heard of it."""
            user = stage.user(stage.account("robin", "fabrikam"), "fabrikam")
            return (user is not None and user["enabled"]) or None

        await eventually(half_open)
        assert await eventually(lambda: lost_try(stage.workflow(ended), "close")) == SILENCE
        await stack.start_worker()

        # The removals that the dead worker had made are forgotten: a role so new is looked for again until it is old.
        receipt = await stage.receipt(ended)
        assert receipt.ending.state is GrantState.ENDED
        stage.assert_closed(stage.account("alex", "contoso"), "contoso")

        receipt = await stage.receipt(opened)
        assert receipt.ending.state is GrantState.EXPIRED
        assert receipt.lateness is not None
        assert receipt.lateness < ON_TIME
        stage.assert_closed(stage.account("robin", "fabrikam"), "fabrikam")
