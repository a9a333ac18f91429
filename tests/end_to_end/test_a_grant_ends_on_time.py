"""The promise itself: an account that was opened is closed on time, and there is proof.

Other products lose it by recording a failed closing as completed, or by arming the expiry after the access.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.messages import GrantState
from tests.stage import ON_TIME, Scene

pytestmark = pytest.mark.spine


async def test_four_hours_from_request_to_receipt(hours_pass: Scene) -> None:
    request_id = await hours_pass.ask(hours=4)

    receipt = await hours_pass.receipt(request_id)

    assert receipt.ending.state is GrantState.EXPIRED
    assert receipt.opened_at is not None
    assert receipt.expires_at is not None
    assert timedelta(hours=4) - ON_TIME < receipt.expires_at - receipt.opened_at < timedelta(hours=4)
    assert receipt.lateness is not None
    assert timedelta(0) <= receipt.lateness < ON_TIME
    assert receipt.standing is not None
    assert receipt.standing.exists
    assert receipt.standing.is_closed
    assert {step.name for step in receipt.steps} >= {"armed", "opened", "disabled", "stripped", "read back"}
    hours_pass.assert_closed()
