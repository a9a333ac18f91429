"""A technician has one grant in a tenant, and a request is answered once.

Other products let two grants overlap on one account, so that the end of the first takes the roles of the second, or
the second's expiry is the only one that counts; and a button that is pressed twice gives access twice.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from entra_jit.operations.end_access import end_access
from entra_jit.operations.request_access import KeyTakenError, await_decision
from entra_jit.operations.show_receipt import show_receipt
from models.messages import GrantState
from tests.actors import TESTER, operator
from tests.stage import REVOKE, Scene

pytestmark = pytest.mark.spine

DISABLING = {"method": "PATCH", "path": "/users/*", "body_contains": '"accountEnabled":false', "app": REVOKE}


async def test_one_key_is_one_grant_of_a_technician_in_a_tenant(hours_pass: Scene) -> None:
    first = f"{hours_pass.customer}/alex/the-key"
    answers = await asyncio.gather(
        *(hours_pass.ask(key="the-key", hours=hours, held=True) for hours in (2, 3, 4)), return_exceptions=True
    )
    # One is granted. The others learn of it by now only if the ledger has it: a request is first taken, then recorded.
    refused = [answer for answer in answers if isinstance(answer, KeyTakenError)]
    assert [answer for answer in answers if answer not in refused] == [first] * (3 - len(refused))
    assert len(refused) < 3
    await hours_pass.until(first, GrantState.OPEN)
    asked = (await hours_pass.status(first)).expires_at
    with pytest.raises(KeyTakenError):
        await hours_pass.ask(key="the-key", hours=5)
    assert (await hours_pass.status(first)).expires_at == asked
    await hours_pass.time_passes(first)
    receipt = await hours_pass.receipt(first)
    calls = len(hours_pass.journal())

    # Asked once more when all is over: the first outcome stands.
    assert receipt.request.duration is not None
    assert await hours_pass.ask(key="the-key", hours=receipt.request.duration / timedelta(hours=1)) == first
    assert (await await_decision(TESTER, hours_pass.app, first)).state is GrantState.EXPIRED
    assert await hours_pass.receipt(first) == receipt
    assert len(hours_pass.journal()) == calls
    assert hours_pass.sql("SELECT count(*) FROM grants") == [(1,)]

    # Another technician who is given the same key is not told of this grant as if it were theirs.
    other = await hours_pass.ask("robin", key="the-key", hours=1)
    assert (await hours_pass.receipt(other)).request.technician == "robin"
    assert await hours_pass.receipt(first) == receipt


async def test_a_second_request_is_told_of_the_live_grant(hours_pass: Scene) -> None:
    live = await hours_pass.ask(held=True)
    expires_at = (await hours_pass.until(live, GrantState.OPEN)).expires_at
    before = hours_pass.everything()

    second = await hours_pass.ask()

    denied = await await_decision(TESTER, hours_pass.app, second)
    assert denied.state is GrantState.DENIED
    assert live in denied.sentence
    assert f"open until {expires_at:%Y-%m-%d %H:%M:%SZ}; ask to extend it" in denied.sentence
    assert hours_pass.everything() == before
    # Another technician's request is not a second one.
    other = await hours_pass.ask("robin", held=True)
    await hours_pass.until(other, GrantState.OPEN)
    assert (await hours_pass.status(live)).state is GrantState.OPEN
    await asyncio.gather(hours_pass.time_passes(live), hours_pass.time_passes(other))
    hours_pass.assert_closed()
    hours_pass.assert_closed(hours_pass.account("robin"))


async def test_a_second_request_is_told_of_the_parked_grant(hours_pass: Scene) -> None:
    hours_pass.fault(method="POST", path="/users", status=403)
    parked = await hours_pass.ask(held=True)
    await hours_pass.until(parked, GrantState.PARKED)

    denied = (await hours_pass.receipt(await hours_pass.ask())).ending

    assert denied.state is GrantState.DENIED
    assert f"the grant {parked} is parked" in denied.sentence
    assert "User.ReadWrite.All" in denied.sentence
    assert "retry or end it" in denied.sentence
    await end_access(operator("kim"), hours_pass.app, parked)
    await hours_pass.receipt(parked)
    hours_pass.mend()
    assert (await hours_pass.receipt(await hours_pass.ask())).ending.state is GrantState.EXPIRED


async def closing(scene: Scene) -> tuple[str, str]:
    """A grant that cannot finish closing, and the fault that keeps it from it."""
    request_id = await scene.ask(held=True)
    await scene.until(request_id, GrantState.OPEN)
    fault = scene.fault(**DISABLING, status=503, retry_after=1)
    await end_access(operator("kim"), scene.app, request_id)
    await scene.until(request_id, GrantState.CLOSING)
    return request_id, fault


async def test_a_second_request_waits_for_a_closing_grant(hours_pass: Scene) -> None:
    first, fault = await closing(hours_pass)
    second = await hours_pass.ask(held=True)
    await asyncio.sleep(0.5)
    assert (await hours_pass.status(second)).state is GrantState.ASKED

    hours_pass.release(fault)

    await hours_pass.until(second, GrantState.OPEN)
    closed = await show_receipt(TESTER, hours_pass.app, first)
    await hours_pass.time_passes(second)
    opened = (await hours_pass.receipt(second)).opened_at
    assert opened is not None
    assert opened > closed.settled_at, "two grants must never overlap on one account"
    hours_pass.assert_closed()


async def test_a_second_request_does_not_wait_for_ever(hours_pass: Scene) -> None:
    first, fault = await closing(hours_pass)

    receipt = await hours_pass.receipt(await hours_pass.ask())

    assert receipt.ending.state is GrantState.DENIED
    assert "just closing" in receipt.ending.sentence
    assert timedelta(minutes=5) <= receipt.settled_at - receipt.request.asked_at < timedelta(hours=1)
    assert (await hours_pass.status(first)).state is GrantState.CLOSING
    hours_pass.release(fault)
    await hours_pass.receipt(first)
    hours_pass.assert_closed()
