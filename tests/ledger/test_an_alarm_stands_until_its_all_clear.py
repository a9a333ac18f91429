"""An alarm stands once for the same thing, until its all-clear, and may then be raised anew.

An alarm that is raised at every look is switched off by whoever is on duty; one that ends by itself is never seen.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from activities.alarms import Alarms
from ledger import alarms
from models.alarms import Alarm, AlarmKind
from tests.ledger.books import Books

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def late(sentence: str = "not closed after 2 min") -> Alarm:
    return Alarm(
        kind=AlarmKind.CLOSING_LATE, subject="g1", sentence=sentence, tenant="contoso", request_id="g1", raised_at=NOON
    )


class Everybody:
    """Remembers what it was asked to announce, and fails to do it."""

    def __init__(self) -> None:
        self.heard: list[Alarm] = []

    async def announce(self, alarm: Alarm) -> None:
        self.heard.append(alarm)
        raise RuntimeError("the mail server is down")


async def test_the_same_thing_is_announced_once_and_once_more_when_it_is_over(books: Books) -> None:
    ledger, everybody = books.ledger, Everybody()
    telling = Alarms(ledger, everybody)
    await telling.raise_alarm(late())
    await telling.raise_alarm(late("not closed after 10 min"))
    async with ledger.transaction() as session:
        [standing] = await alarms.listed(session, tenant="contoso")
    assert standing.sentence == "not closed after 10 min"
    await telling.clear(AlarmKind.CLOSING_LATE, "g1", "closed and proven", NOON + timedelta(minutes=11))
    await telling.clear(AlarmKind.CLOSING_LATE, "g1", "closed twice", NOON + timedelta(minutes=12))
    async with ledger.transaction() as session:
        assert await alarms.listed(session) == []
        [over] = await alarms.listed(session, standing_only=False)
    assert (over.raised_at, over.all_clear) == (NOON, "closed and proven")
    await telling.said()
    assert [alarm.all_clear for alarm in everybody.heard] == [None, "closed and proven"]

    await telling.raise_alarm(late())
    async with ledger.transaction() as session:
        assert len(await alarms.listed(session, standing_only=False)) == 2
