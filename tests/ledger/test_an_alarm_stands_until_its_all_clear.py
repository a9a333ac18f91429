"""An alarm is raised once for one thing, stands until its all-clear, and can then be raised again.

An alarm that is raised at every look gets switched off by the people on duty; one that ends by itself is never seen.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from entra_jit.accounts.alarms import Alarms
from entra_jit.ledger import alarms
from entra_jit.ledger.database import LedgerUnavailableError
from models.alarms import Alarm, AlarmKind
from tests.announcer import FailingAnnouncer
from tests.ledger.books import Books

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def late(sentence: str = "not closed after 2 min") -> Alarm:
    return Alarm(
        kind=AlarmKind.CLOSING_LATE, subject="g1", sentence=sentence, tenant="contoso", request_id="g1", raised_at=NOON
    )


async def test_the_same_thing_is_announced_once_and_once_more_when_it_is_over(books: Books) -> None:
    ledger, everybody = books.ledger, FailingAnnouncer()
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
        [over] = await alarms.over(session)
    assert (over.raised_at, over.all_clear) == (NOON, "closed and proven")
    await telling.said()
    assert [alarm.all_clear for alarm in everybody.heard] == [None, "closed and proven"]

    await telling.raise_alarm(late())
    async with ledger.transaction() as session:
        assert len([*await alarms.listed(session), *await alarms.over(session)]) == 2


async def test_what_somebody_else_has_cleared_is_announced_when_it_happens_again(books: Books) -> None:
    """An operator clears an alarm on the command line; the worker that had raised it kept quiet ever after."""
    everybody = FailingAnnouncer()
    worker, operator = Alarms(books.ledger, everybody), Alarms(books.ledger, FailingAnnouncer())
    await worker.raise_alarm(late())
    await operator.clear(AlarmKind.CLOSING_LATE, "g1", "it was us", NOON)
    await worker.raise_alarm(late())
    await worker.said()
    assert [alarm.all_clear for alarm in everybody.heard] == [None, None]


async def test_what_was_told_while_the_ledger_was_away_is_not_told_again(books: Books) -> None:
    everybody = FailingAnnouncer()
    worker = Alarms(books.ledger, everybody)
    async with books.ledger.transaction() as session:
        await session.exec(text("ALTER TABLE alarms RENAME TO away"))  # type: ignore[call-overload]
    for _ in range(2):
        with pytest.raises(LedgerUnavailableError):
            await worker.raise_alarm(late())
    async with books.ledger.transaction() as session:
        await session.exec(text("ALTER TABLE away RENAME TO alarms"))  # type: ignore[call-overload]
    await worker.raise_alarm(late())
    await worker.said()
    assert len(everybody.heard) == 1
