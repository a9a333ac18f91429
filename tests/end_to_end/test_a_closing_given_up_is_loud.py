"""A closing ends unproven only in the open: an operator says so, gives a reason, and everybody sees it.

Products that let a failed revocation run out of retries leave an administrator behind whom no list shows.
"""

from __future__ import annotations

import pytest

from models.alarms import AlarmKind
from models.messages import GrantState, Proof
from operations.abandon_access import abandon_access
from operations.errors import BadInputError, NotFoundError, RefusedError
from operations.list_alarms import clear_alarm, list_alarms
from tests.end_to_end.test_closing_goes_on_until_it_is_done import CLOSING
from tests.stage import REVOKE, Scene


async def test_an_operator_gives_a_closing_up_and_it_is_never_called_proven(real_time: Scene) -> None:
    deployment = real_time.deployment
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    with pytest.raises(RefusedError, match="end it first"):
        await abandon_access(deployment, "an operator", request_id, "because")

    real_time.fault(app=REVOKE, **CLOSING["disable"], status=403)
    await real_time.workflow(request_id).signal("end")
    await real_time.until(request_id, GrantState.CLOSING)
    with pytest.raises(BadInputError, match="reason"):
        await abandon_access(deployment, "an operator", request_id, " ")
    receipt = await abandon_access(deployment, "an operator", request_id, "the customer has left us")

    assert receipt.proof is Proof.ABANDONED
    assert receipt.proven_at is None
    assert "the customer has left us" in receipt.ending.sentence
    [alarm] = await list_alarms(deployment, tenant=real_time.customer)
    assert (alarm.kind, alarm.subject) == (AlarmKind.ABANDONED, request_id)
    # Its own workflow hears of it at its next try, and changes nothing any more.
    assert await real_time.receipt(request_id) == receipt
    assert (await real_time.status(request_id)).proof is Proof.ABANDONED
    assert await abandon_access(deployment, "somebody else", request_id, "again") == receipt
    assert real_time.user()["enabled"]  # type: ignore[index]  # what is not proven is not claimed


async def test_what_is_over_or_unknown_cannot_be_given_up(real_time: Scene) -> None:
    request_id = await real_time.ask()
    await real_time.until(request_id, GrantState.OPEN)
    await real_time.workflow(request_id).signal("end")
    await real_time.receipt(request_id)
    with pytest.raises(RefusedError, match="over already"):
        await abandon_access(real_time.deployment, "an operator", request_id, "because")
    with pytest.raises(NotFoundError):
        await abandon_access(real_time.deployment, "an operator", "nothing", "because")
    with pytest.raises(NotFoundError, match="stands about"):
        await clear_alarm(real_time.deployment, "an operator", "closing late", request_id, "seen")
    with pytest.raises(BadInputError, match="the kinds are"):
        await clear_alarm(real_time.deployment, "an operator", "toothache", request_id, "seen")
