"""Notifications are down, and accounts are closed all the same. A closing that failed is not called done meanwhile.

In other products a mail server that did not answer undid a grant and left its expiry behind, and a marker that was
cleared although a removal had failed hid an administrator from every list.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from entra_jit.accounts.alarms import Alarms
from entra_jit.operations.list_alarms import list_alarms
from models.alarms import Alarm, AlarmKind
from models.messages import GrantState
from tests.actors import TESTER
from tests.end_to_end.grant_calls import CLOSING_CALLS
from tests.patience import eventually
from tests.stage import Services, scene, variant


class NobodyAnswers:
    """Is asked to deliver, and never comes back."""

    def __init__(self) -> None:
        self.asked: list[Alarm] = []

    async def announce(self, alarm: Alarm) -> None:
        """Wait for ever."""
        self.asked.append(alarm)
        await asyncio.Event().wait()


async def test_a_late_closing_goes_on_and_its_mark_stays_until_it_is_proven(services: Services) -> None:
    nobody = NobodyAnswers()
    async with scene(services, customers=1, skips_time=False, worker=False) as act:
        soon = act.settings.model_copy(update={"alarm_after": (timedelta(seconds=1),)})
        act.app = variant(act.app, alarms=Alarms(act.app.ledger, nobody), settings=soon)
        await act.start_worker()
        request_id = await act.ask()
        await act.until(request_id, GrantState.OPEN)
        act.fault(**CLOSING_CALLS["roles deleted"], status=403)
        await act.workflow(request_id).signal("end")

        async def told() -> Alarm | None:
            standing = await list_alarms(TESTER, act.app)
            return standing[0] if standing else None

        late = await eventually(told)
        assert (late.kind, late.subject) == (AlarmKind.CLOSING_LATE, request_id)
        user = act.user()
        assert user is not None
        assert user["roles"]
        assert user["extension_attributes"]["extensionAttribute15"], "what is not proven closed was called closed"
        assert (await act.status(request_id)).state is GrantState.CLOSING

        act.mend()
        receipt = await act.receipt(request_id)
        assert receipt.standing is not None
        assert receipt.standing.is_closed
        act.assert_closed()
        closed = (act.user() or {})["extension_attributes"]
        tag = user["extension_attributes"]["extensionAttribute14"]
        assert (closed["extensionAttribute14"], closed.get("extensionAttribute15")) == (tag, None), (
            "the tag is for ever"
        )
        assert not await list_alarms(TESTER, act.app)
        assert [alarm.cleared_at is None for alarm in nobody.asked] == [True, False]
