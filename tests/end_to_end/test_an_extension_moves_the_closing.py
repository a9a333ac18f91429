"""An extension must move everything that ends the grant, or nothing.

Other products move the expiry that people see and leave the timer where it was, so that access ends in the middle of
the work; or they move the timer by every repeated message, so that one click on a slow line gives a night's access.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from entra_jit.operations.end_access import end_access
from entra_jit.operations.extend_access import extend_access
from models.errors import RefusedError
from models.messages import Extension, GrantState, SignedExtension
from tests.actors import operator
from tests.patience import eventually
from tests.stage import ON_TIME, Scene

pytestmark = pytest.mark.spine

OPEN_UNTIL = "extensionAttribute15"
MARK = {"method": "PATCH", "path": "/users/*", "body_contains": OPEN_UNTIL}
PASS = {"method": "POST", "path": "/users/*/authentication/temporaryAccessPassMethods"}


def asked_for(scene: Scene, request_id: str, expires_at: datetime) -> SignedExtension:
    extension = Extension(request_id=request_id, expires_at=expires_at, reason="not done yet")
    return SignedExtension(extension=extension, assertion=scene.app.sign(operator("kim"), extension))


async def send(scene: Scene, request_id: str, signed: SignedExtension, update_id: str | None = None) -> datetime:
    """The update as the bare client sends it, without our operation's checks before it."""
    return await scene.workflow(request_id).execute_update("extend", signed, id=update_id, result_type=datetime)


async def test_the_new_expiry_is_the_one_that_closes(hours_pass: Scene) -> None:
    request_id = await hours_pass.ask(hours=4, held=True)
    first = (await hours_pass.until(request_id, GrantState.OPEN)).expires_at
    assert first is not None

    extended = await extend_access(operator("kim"), hours_pass.app, request_id, timedelta(hours=3), "not done yet")

    assert extended == first + timedelta(hours=3)
    assert (await hours_pass.status(request_id)).expires_at == extended
    assert (await hours_pass.workflow(request_id).query("status"))["expires_at"] == f"{extended:%Y-%m-%dT%H:%M:%S.%fZ}"
    user = hours_pass.user()
    assert user is not None
    assert extended.isoformat() in user["extension_attributes"][OPEN_UNTIL]

    await hours_pass.time_passes(request_id, hours=6)
    assert (await hours_pass.status(request_id)).state is GrantState.OPEN
    assert (hours_pass.user() or {})["enabled"]

    await hours_pass.time_passes(request_id)
    receipt = await hours_pass.receipt(request_id)
    assert receipt.expires_at == extended
    assert receipt.disabled_at is not None
    assert timedelta(0) <= receipt.disabled_at - extended < ON_TIME
    assert any("by kim: not done yet" in (step.note or "") for step in receipt.steps)
    hours_pass.assert_closed()


async def test_one_message_sent_twice_extends_once(hours_pass: Scene) -> None:
    request_id = await hours_pass.ask(hours=2, held=True)
    first = (await hours_pass.until(request_id, GrantState.OPEN)).expires_at
    assert first is not None
    one, two = (asked_for(hours_pass, request_id, first + timedelta(hours=hours)) for hours in (1, 2))

    answers = [await send(hours_pass, request_id, signed, "the-same-id") for signed in (one, two, one)]
    # The same new expiry under another id: what a portal sends that has forgotten whether it sent.
    answers.append(await send(hours_pass, request_id, one, "another-id"))

    assert set(answers) == {first + timedelta(hours=1)}
    assert (await hours_pass.status(request_id)).expires_at == first + timedelta(hours=1)
    await hours_pass.time_passes(request_id)
    receipt = await hours_pass.receipt(request_id)
    assert receipt.expires_at == first + timedelta(hours=1)
    assert len([step for step in receipt.steps if step.name.startswith("extended")]) == 1


async def test_what_may_not_be_is_refused_and_changes_nothing(hours_pass: Scene) -> None:
    request_id = await hours_pass.ask(hours=4, held=True)
    first = (await hours_pass.until(request_id, GrantState.OPEN)).expires_at
    assert first is not None
    before = hours_pass.everything()
    honest = asked_for(hours_pass, request_id, first + timedelta(hours=1))
    longer = honest.extension.model_copy(update={"expires_at": first + timedelta(hours=2)})
    forged = honest.model_copy(update={"extension": longer})
    borrowed = honest.model_copy(
        update={"assertion": honest.assertion.model_copy(update={"actor": operator("another")})},
    )
    for_another = asked_for(hours_pass, "another-grant", first + timedelta(hours=1))

    with pytest.raises(RefusedError, match=r"12 h in all"):
        await extend_access(operator("kim"), hours_pass.app, request_id, timedelta(hours=9), "far too long")
    with pytest.raises(RefusedError, match="already lasts until"):
        await extend_access(operator("kim"), hours_pass.app, request_id, timedelta(hours=-1), "backwards")
    for wrong in (forged, borrowed, for_another):
        with pytest.raises(WorkflowUpdateFailedError):
            await send(hours_pass, request_id, wrong)

    assert (await hours_pass.status(request_id)).expires_at == first
    assert (await hours_pass.workflow(request_id).query("status"))["expires_at"] == f"{first:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert hours_pass.everything() == before


async def test_a_grant_that_closes_cannot_be_extended(hours_pass: Scene) -> None:
    request_id = await hours_pass.ask(hours=4, held=True)
    first = (await hours_pass.until(request_id, GrantState.OPEN)).expires_at
    assert first is not None
    signed = asked_for(hours_pass, request_id, first + timedelta(hours=1))
    stuck = hours_pass.fault(method="PATCH", path="/users/*", body_contains='"accountEnabled"', status=503)
    await end_access(operator("kim"), hours_pass.app, request_id)
    await hours_pass.until(request_id, GrantState.CLOSING)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await send(hours_pass, request_id, signed)
    assert "this one is closing" in str(refused.value.cause)
    with pytest.raises(RefusedError, match="is not open"):
        await extend_access(operator("kim"), hours_pass.app, request_id, timedelta(hours=1), "too late")

    hours_pass.release(stuck)
    receipt = await hours_pass.receipt(request_id)
    assert receipt.expires_at == first
    with pytest.raises(RPCError, match="already completed"):
        await send(hours_pass, request_id, signed)
    hours_pass.assert_closed()


@pytest.mark.parametrize("held", [MARK, PASS])
async def test_an_end_that_overtakes_an_extension_wins(hours_pass: Scene, held: dict[str, str]) -> None:
    request_id = await hours_pass.ask(hours=4, held=True)
    first = (await hours_pass.until(request_id, GrantState.OPEN)).expires_at
    assert first is not None
    # What the extension writes hangs, with the ledger moved already, while the end arrives. A pass that was made after
    # the last read-back would be waiting for the account's next opening.
    writing = hours_pass.hold(**held)
    extending = asyncio.create_task(
        send(hours_pass, request_id, asked_for(hours_pass, request_id, first + timedelta(hours=6)))
    )

    async def moved() -> bool | None:
        return True if (await hours_pass.status(request_id)).expires_at != first else None

    await eventually(moved)
    await hours_pass.reached(writing)
    ended_at = datetime.now(UTC)
    await end_access(operator("kim"), hours_pass.app, request_id)
    hours_pass.release(writing)
    # The writing holds a lease, which the last read-back waits for.
    await hours_pass.time_passes(request_id)

    receipt = await hours_pass.receipt(request_id)
    with suppress(WorkflowUpdateFailedError):
        await extending
    assert receipt.ending.state is GrantState.ENDED
    assert receipt.disabled_at is not None
    assert receipt.disabled_at - ended_at < ON_TIME
    hours_pass.assert_closed()
