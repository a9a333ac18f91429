"""A worker is killed before, in and after every activity of a grant. No account stays open, and nothing is done twice.

Other products opened an account and never armed its expiry, because the worker died between the two. A step whose
answer died with its worker may have happened or not: repeating it blindly makes a second account, and skipping it
leaves one open. Where no other worker takes over, the reconciler must close what was opened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities.signatures import Alarming, Closing, Deciding, Provisioning, Reconciling
from entra_jit.operations.show_receipt import show_receipt
from entra_jit.policy.reconciliation import GRACE
from models.actor import RECONCILER
from models.messages import GrantState, Receipt
from tests.actors import TESTER
from tests.end_to_end.deaths import (
    EVERYWHERE,
    HELD,
    HOUR,
    LEDGER_AWAY,
    RECONCILIATION,
    STEPS,
    Place,
    alone,
    killed,
    noticed,
)
from tests.end_to_end.dying_worker import Point
from tests.end_to_end.reconciler import reconciled
from tests.stage import REVOKE, Scene, Services, scene

AT_ONCE = 8
"""How many grants are let begin at the same time, on a machine of which others want something too."""

SIGNATURES = (Alarming, Closing, Deciding, Provisioning, Reconciling)

TURNING_POINTS = tuple(place for place in EVERYWHERE if place.activity in {"ready", "open", "close", "settle"})
"""Where most is lost; every other place takes minutes more."""

where = pytest.mark.parametrize(
    "places",
    [
        pytest.param(TURNING_POINTS, id="turning points"),
        pytest.param(EVERYWHERE, id="everywhere", marks=pytest.mark.long),
    ],
)


def test_no_activity_is_left_out() -> None:
    known = {method for signatures in SIGNATURES for method in signatures.__abstractmethods__}
    assert known == STEPS.keys() | set(RECONCILIATION) | set(LEDGER_AWAY)


@where
async def test_another_worker_finishes_what_the_killed_one_began(services: Services, places: Sequence[Place]) -> None:
    async with scene(services, customers=len(places), skips_time=True, worker=False) as stage:

        async def one(place: Place, own: Scene, begun: asyncio.Semaphore) -> None:
            foreign = foreign_accounts(own)
            async with begun:
                request_id = await killed(own, place)
            receipt = await taken_up(own, place, request_id)
            wanted = GrantState.FAILED if place.activity == "park" else GrantState.EXPIRED
            assert receipt.ending.state is wanted, receipt.ending.sentence
            assert_over(own, receipt)
            assert foreign_accounts(own) == foreign
            if place.activity == "raise_alarm":
                assert own.sql("SELECT FROM events WHERE kind = 'alarm raised' AND request_id = %s", request_id)

        await everywhere(stage, places, one)


@where
async def test_the_reconciler_closes_what_nobody_takes_up(services: Services, places: Sequence[Place]) -> None:
    async with scene(services, customers=len(places), skips_time=True, worker=False) as stage:

        async def one(place: Place, own: Scene, begun: asyncio.Semaphore) -> None:
            foreign = foreign_accounts(own)
            async with begun:
                request_id = await killed(own, place)
            over = 2 * HOUR if place.activity == "extend_grant" else HOUR

            await reconciled(own, later=over + GRACE + timedelta(seconds=10))
            user = own.user()
            assert user is None or not user["enabled"]

            await reconciled(own, later=over + timedelta(minutes=15))
            assert not own.sql("SELECT request_id FROM grants WHERE settled_at IS NULL AND request_id = %s", request_id)
            assert foreign_accounts(own) == foreign
            if not decided(own, request_id):
                assert own.user() is None
                return
            receipt = await show_receipt(TESTER, own.app, request_id)
            if place != Place("settle", Point.AFTER):
                assert receipt.ending.by == RECONCILER
            if made(own):
                assert_over(own, receipt)

            if place.point is Point.AFTER:  # a worker that comes back now has nothing to open any more
                written = len(own.journal(writes=True))
                assert await taken_up(own, place, request_id) == receipt
                assert all(call["app_id"] == REVOKE for call in own.journal(writes=True)[written:])
                if made(own):
                    own.assert_closed()

        await everywhere(stage, places, one)


async def everywhere(
    stage: Scene, places: Sequence[Place], one: Callable[[Place, Scene, asyncio.Semaphore], Awaitable[None]]
) -> None:
    """Do it for every place, each with a customer of its own, and tell all that failed."""
    begun = asyncio.Semaphore(AT_ONCE)

    async def told(place: Place, customer: str) -> Exception | None:
        own = alone(stage, customer)
        try:
            await one(place, own, begun)
        except Exception as error:
            error.add_note(f"killed {place}")
            return error
        finally:
            await asyncio.gather(*(own.stop_worker(worker) for worker in list(own.workers)))
        return None

    if failed := [error for error in await asyncio.gather(*map(told, places, stage.customers)) if error]:
        raise ExceptionGroup("where a worker was killed", failed)


async def taken_up(own: Scene, place: Place, request_id: str) -> Receipt:
    """Another worker comes, and the grant's time passes; the receipt, once the workflow has come to its end."""
    await own.start_worker()
    await noticed(own, request_id)
    if place.activity in HELD:
        await own.time_passes(request_id)
    receipt = await own.receipt(request_id)
    assert (await own.workflow(request_id).describe()).status is not WorkflowExecutionStatus.RUNNING
    return receipt


def decided(own: Scene, request_id: str) -> bool:
    """Whether the ledger has heard of the request before its worker died."""
    return bool(own.sql("SELECT id FROM requests WHERE id = %s", request_id))


def foreign_accounts(own: Scene) -> list[Any]:
    """Every account of the customer that is not the technician's."""
    return [user for user in own.everything() if user["user_principal_name"] != own.account()]


def made(own: Scene) -> list[Any]:
    """The calls that have made accounts."""
    return [call for call in own.journal(writes=True) if (call["method"], call["path"]) == ("POST", "/v1.0/users")]


def assert_over(own: Scene, receipt: Receipt) -> None:
    """One account was made, it is closed, and the receipt says so."""
    own.assert_closed()
    assert len(made(own)) == 1
    assert receipt.standing is not None
    assert receipt.standing.is_closed
    assert receipt.proven_at is not None
