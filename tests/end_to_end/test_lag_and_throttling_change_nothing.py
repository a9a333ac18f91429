"""Against Microsoft every read may be stale, every new account unknown, and every call put off; the promise stands.

A product that was tried only against a directory that answers at once opens half an account at a customer's, takes
"not found" for "nothing to close", or stops where it should wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from entra_jit.operations.end_access import end_access
from models.messages import GrantState, Receipt
from tests.actors import TESTER
from tests.stage import ON_TIME, QUICK, Scene, Services, scene

pytestmark = pytest.mark.exact("makes trouble of its own")

ROLES = ["Helpdesk Administrator", "User Administrator"]


@pytest.fixture
async def waiting_is_free(services: Services) -> AsyncIterator[Scene]:
    """A scene in which the sandbox's replicas catch up with time that is skipped."""
    async with scene(services, customers=1, skips_time=True) as made:
        made.sandbox_keeps_up = True
        yield made


def assert_kept(scene: Scene, receipt: Receipt, ending: GrantState, customer: str | None = None) -> None:
    """The account was open, and is closed, and that was read in the directory."""
    assert receipt.ending.state is ending, receipt.ending
    assert receipt.opened_at is not None
    assert receipt.standing is not None
    assert receipt.standing.exists
    assert receipt.standing.is_closed
    scene.assert_closed(customer=customer)


@pytest.mark.parametrize("lag", ["typical", pytest.param("bad", marks=pytest.mark.long)])
async def test_first_grant_and_returning_technician_expire_on_time(waiting_is_free: Scene, lag: str) -> None:
    waiting_is_free.trouble(lag=lag, throttle="real")
    ids = set()
    for hours in (4.0, 1.0):
        receipt = await waiting_is_free.receipt(await waiting_is_free.ask(hours=hours))
        assert_kept(waiting_is_free, receipt, GrantState.EXPIRED)
        assert receipt.lateness is not None
        assert receipt.lateness < ON_TIME, "the disabling waits for no replica"
        user = waiting_is_free.user()
        assert user is not None
        ids.add(user["id"])
    assert len(ids) == 1, "the technician's account is found again"


@pytest.mark.long
async def test_grants_live_and_end_in_real_time(services: Services) -> None:
    async with scene(services, customers=3, skips_time=False) as made:
        first, second, third = made.customers
        made.trouble(lag="typical", scale=QUICK, throttle="real")
        made.control("POST", "/lag", tenant=second, lag="bad", scale=QUICK / 8)

        async def end_early_and_return(customer: str) -> None:
            for _ in range(2):
                request_id = await made.ask(customer=customer)
                await made.until(request_id, GrantState.OPEN)
                user = made.user(customer=customer)
                assert user is not None
                assert (user["enabled"], user["roles"]) == (True, ROLES)
                # Not at once: replicas that never knew of the roles would say that there are none, and be believed.
                await asyncio.sleep(15 * QUICK)
                await end_access(TESTER, made.app, request_id, "enough")
                assert_kept(made, await made.receipt(request_id), GrantState.ENDED, customer)

        async def expire(customer: str) -> None:
            receipt = await made.receipt(await made.ask(customer=customer, hours=15 / 3600))
            assert_kept(made, receipt, GrantState.EXPIRED, customer)

        await asyncio.gather(end_early_and_return(first), end_early_and_return(second), expire(third))


async def test_calls_that_are_put_off_are_made_when_they_may_be(waiting_is_free: Scene) -> None:
    waiting_is_free.trouble(throttle="0.4")  # two sign-in method calls in ten seconds
    receipt = await waiting_is_free.receipt(await waiting_is_free.ask(hours=1))
    assert_kept(waiting_is_free, receipt, GrantState.EXPIRED)
    refused = [call for call in waiting_is_free.journal() if call["status"] == 429]
    assert refused
    assert len(refused) < 40, "it waits as long as it is asked to"
