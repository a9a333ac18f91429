"""The MSP's own applications' credentials end on a known day, and every customer is out of reach from then on.

One alarm a month ahead is forgotten. So there are three, each announced, and none is left once the credential is new.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import SecretStr

from entra_jit.accounts.alarms import Alarms
from entra_jit.accounts.credential_expiry import ExpiryWatch, due
from entra_jit.accounts.own_applications import OwnCredential
from entra_jit.graph import ClientSecret
from entra_jit.ledger import alarms
from models.alarms import AlarmKind
from tests.announcer import FailingAnnouncer
from tests.ledger.books import NOON, Books

ALL = ["elevate: 30 d", "elevate: 7 d", "elevate: 1 d"]


@pytest.mark.parametrize(
    ("left", "subjects"),
    [
        (None, []),
        (timedelta(days=31), []),
        (timedelta(days=30), ALL[:1]),
        (timedelta(days=7), ALL[:2]),
        (timedelta(hours=3), ALL),
        (timedelta(days=-1), ALL),
    ],
)
def test_each_step_is_an_alarm_of_its_own(left: timedelta | None, subjects: list[str]) -> None:
    found = list(due("elevate", None if left is None else NOON + left, NOON))
    assert [alarm.subject for alarm in found] == subjects
    has_ended = left is not None and left < timedelta(0)
    assert all(("has ended" in alarm.sentence) is has_ended for alarm in found)


async def test_each_is_announced_once_and_all_end_with_a_new_credential(books: Books) -> None:
    announcer = FailingAnnouncer()
    raising = Alarms(books.ledger, announcer)

    async def look(days: int) -> list[str]:
        one = OwnCredential("a-client", ClientSecret(secret=SecretStr("x")), NOON + timedelta(days=days))
        # One application for both purposes.
        await ExpiryWatch({"elevate": one, "revoke": one}, books.ledger, raising, lambda: NOON).update_alarms()
        standing = await books.do(alarms.listed, kind=AlarmKind.CREDENTIAL_EXPIRES)
        return sorted(alarm.subject for alarm in standing)

    assert await look(6) == ["elevate: 30 d", "elevate: 7 d"]
    assert await look(1) == sorted(ALL)
    assert await look(1) == sorted(ALL)
    assert await look(90) == []
    await raising.said()
    assert [alarm.subject for alarm in announcer.heard if alarm.cleared_at is None] == ALL
    assert len([alarm for alarm in announcer.heard if alarm.cleared_at]) == len(ALL)
