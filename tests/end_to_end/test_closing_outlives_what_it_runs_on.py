"""The database stops, the worker is killed, and accounts are closed on time all the same.

A closing that first has to read or write a database leaves every account open for as long as that is down; one whose
step died with its worker is repeated only when somebody notices.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities.options import CLOSING
from entra_jit.ledger.database import LedgerUnavailableError
from models.messages import GrantState
from tests.end_to_end.grant_calls import CLOSING_WRITES, FIRST_IS_A_TRIAL, OPENING_WRITES
from tests.end_to_end.whole_stack import whole_stack
from tests.stage import Scene, eventually

SHORTEST_HOURS = 10 / 3600


async def is_disabled(stage: Scene, technician: str, customer: str) -> None:
    """Wait until the account is disabled."""

    async def look() -> bool | None:
        user = stage.user(stage.account(technician, customer), customer)
        assert user is not None
        return None if user["enabled"] else True

    await eventually(look)


async def test_postgresql_is_down_when_a_grant_expires_and_when_another_is_asked_for(state: Path) -> None:
    async with whole_stack(state / "without-postgres") as (stack, stage):
        expiring = await stage.ask("alex", customer="contoso", hours=SHORTEST_HOURS)
        open_ = await stage.until(expiring, GrantState.OPEN)
        assert open_.expires_at is not None

        await stack.stop_postgres()
        asked = await stage.ask("robin", customer="fabrikam", hours=1)
        await is_disabled(stage, "alex", "contoso")
        await asyncio.sleep(1)
        description = await stage.workflow(expiring).describe()
        assert description.status is WorkflowExecutionStatus.RUNNING, "it ended without a receipt"
        stage.assert_closed(stage.account("alex", "contoso"), "contoso")
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
        await stage.until(asked, GrantState.OPEN)
        await stage.workflow(asked).signal("end")
        assert (await stage.receipt(asked)).ending.state is GrantState.ENDED


@pytest.mark.parametrize("lost", ["grants", "receipts", "managed_accounts", "tenant_credentials"])
async def test_a_ledger_that_answers_and_knows_nothing_keeps_nothing_open(real_time: Scene, lost: str) -> None:
    """In the middle of a restore PostgreSQL is there, and its tables are not."""
    request_id = await real_time.ask(hours=SHORTEST_HOURS)
    await real_time.until(request_id, GrantState.OPEN)
    real_time.sql(f"ALTER TABLE {lost} RENAME TO being_restored")

    await is_disabled(real_time, "alex", real_time.customer)
    await asyncio.sleep(1)
    real_time.assert_closed()

    real_time.sql(f"ALTER TABLE being_restored RENAME TO {lost}")
    receipt = await real_time.receipt(request_id)
    assert receipt.ending.state is GrantState.EXPIRED
    assert receipt.standing is not None
    assert receipt.standing.is_closed


async def test_an_old_mark_put_back_holds_up_no_closing_while_the_ledger_is_away(real_time: Scene) -> None:
    """The mark of an earlier grant is genuine, and not over yet. It said that the account was that grant's to close."""
    earlier = await real_time.ask(hours=8)
    await real_time.until(earlier, GrantState.OPEN)
    mark = (real_time.user() or {})["extension_attributes"]["extensionAttribute15"]
    await real_time.workflow(earlier).signal("end")
    await real_time.receipt(earlier)
    request_id = await real_time.ask(hours=SHORTEST_HOURS)
    await real_time.until(request_id, GrantState.OPEN)
    account = f"/tenants/{real_time.customer}/users/{real_time.account()}"
    real_time.control("PATCH", account, extension_attributes={"extensionAttribute15": mark})
    real_time.sql("ALTER TABLE grants RENAME TO mislaid")

    await is_disabled(real_time, "alex", real_time.customer)

    real_time.sql("ALTER TABLE mislaid RENAME TO grants")
    receipt = await real_time.receipt(request_id)
    assert receipt.standing is not None
    assert receipt.standing.held_by is None
    assert receipt.disabled_at is not None
    real_time.assert_closed()


@pytest.mark.long
async def test_a_worker_killed_in_the_middle_of_opening_and_of_closing(state: Path) -> None:
    async with whole_stack(state / "killed-worker") as (stack, stage):
        # What dies with the worker has no effect: somebody has to do it again.
        slow = {"delay": 2, "drop": "before", "count": 1}
        closing = stage.fault(customer="contoso", **CLOSING_WRITES["disable"], **slow, **FIRST_IS_A_TRIAL)
        stage.fault(customer="contoso", **CLOSING_WRITES["remove a role"], status=503, count=1)
        opening = stage.fault(customer="fabrikam", **OPENING_WRITES["enable"], delay=2, count=1)
        ended = await stage.ask("alex", customer="contoso", hours=1)
        await stage.until(ended, GrantState.OPEN)
        opened = await stage.ask("robin", customer="fabrikam", hours=SHORTEST_HOURS)
        await stage.reached(opening)
        await stage.workflow(ended).signal("end")
        await stage.reached(closing)

        killed_at = datetime.now(UTC)
        await stack.kill_worker()
        await asyncio.sleep(2.5)  # now the opening has happened, and nobody has heard of it
        half_open = stage.user(stage.account("robin", "fabrikam"), "fabrikam")
        assert half_open is not None
        assert half_open["enabled"]
        await stack.start_worker()

        # The removals that the dead worker had made are forgotten: a role so new is looked for again until it is old.
        receipt = await stage.receipt(ended, seconds=150)
        assert receipt.ending.state is GrantState.ENDED
        assert receipt.disabled_at is not None
        # Its silence gave the dead worker away, and not the end of the time that it had.
        assert receipt.disabled_at - killed_at < CLOSING["start_to_close_timeout"]
        stage.assert_closed(stage.account("alex", "contoso"), "contoso")

        receipt = await stage.receipt(opened)
        assert receipt.ending.state is GrantState.EXPIRED
        assert receipt.lateness is not None
        assert receipt.lateness < CLOSING["start_to_close_timeout"]
        stage.assert_closed(stage.account("robin", "fabrikam"), "fabrikam")
