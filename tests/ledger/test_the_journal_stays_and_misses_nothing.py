"""What has happened stays as it was entered, and whoever follows the journal misses nothing of it.

A journal that can be changed proves nothing. And ids are handed out before transactions commit: a reader that goes by
them skips, for ever, what commits last.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import event_partitions, event_stream, events, texts
from entra_jit.ledger.event_stream import EventStream
from entra_jit.ledger.events import NewEvent, Position
from entra_jit.ledger.texts import TextState, Written
from models.actor import WORKFLOW, Actor, ActorKind, Via
from models.events import ERASED, Event, EventKind
from tests.actors import TESTER
from tests.ledger.books import Books

KIM = Actor(kind=ActorKind.OPERATOR, id="kim@desk", name="Kim", via=Via.COMMAND_LINE)


def an_event(number: int = 0, kind: EventKind = EventKind.STEP_TAKEN, **body: Any) -> NewEvent:
    return NewEvent(kind, WORKFLOW, {"number": number, **body}, request_id="r-1")


def numbers(found: list[Event]) -> list[int]:
    return [event.body["number"] for event in found]


@asynccontextmanager
async def connected(books: Books) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A client of PostgreSQL that knows nothing of ours."""
    url = books.ledger._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        yield connection


async def rows(books: Books, statement: str) -> list[tuple[Any, ...]]:
    async with books.ledger.transaction() as session:
        return [tuple(row) for row in await (await session.connection()).execute(text(statement))]


async def enter_at(books: Books, moment: str) -> None:
    """An event of another time."""
    async with connected(books) as connection:
        entered = "INSERT INTO events (recorded_at, actor, kind) VALUES (%s, '{}', 'opened')"
        await connection.execute(entered, (moment,))


# -- it stays


async def partitions(books: Books) -> list[str]:
    found = await rows(books, "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass")
    return sorted(name for (name,) in found)


async def test_the_database_refuses_every_change_of_the_journal_and_of_each_of_its_months(books: Books) -> None:
    await books.do(events.append, an_event())
    await enter_at(books, "2020-01-01Z")
    before = (await books.everything())["events"]
    assert len(await partitions(books)) == 4
    async with connected(books) as connection:
        for table in ("events", *await partitions(books)):
            is_empty = await rows(books, f"TABLE {table}") == []
            for change in ("UPDATE {} SET kind = 'denied'", "DELETE FROM {}", "TRUNCATE {}"):
                if is_empty and not change.startswith("TRUNCATE"):
                    continue  # nothing of it could be changed
                with pytest.raises(psycopg.errors.RestrictViolation, match="is refused"):
                    await connection.execute(change.format(table))
    assert (await books.everything())["events"] == before


async def test_what_is_rolled_back_has_not_happened(books: Books) -> None:
    before = await books.everything()

    async def fails(session: AsyncSession) -> None:
        await events.append(session, an_event(reason=Written("never")), an_event(1))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await books.do(fails)
    assert await books.everything() == before


async def test_what_is_repeated_has_happened_once(books: Books) -> None:
    once = NewEvent(EventKind.OPENED, WORKFLOW, {"number": 1, "why": Written("a")}, "r-1", once="opened")
    first = await books.do(events.append, once, an_event(2))
    again = await books.do(events.append, once, an_event(3), once)
    assert (len(first), len(again)) == (2, 1)
    assert numbers(await books.do(events.of_request, "r-1")) == [1, 2, 3]
    assert await books.do(events.append) == []
    assert await rows(books, "SELECT count(*) FROM texts WHERE content = 'a'") == [(1,)]


async def test_two_that_enter_the_same_at_once_enter_it_once(books: Books) -> None:
    once = NewEvent(EventKind.OPENED, WORKFLOW, {"number": 1}, "r-1", once="opened")
    ids = await asyncio.gather(*(books.do(events.append, once) for _ in range(5)))
    assert sorted(map(len, ids)) == [0, 0, 0, 0, 1]


# -- what people wrote can go


async def test_a_text_is_erased_and_the_event_that_quotes_it_stays_and_says_so(books: Books) -> None:
    said = {"reason": Written("my back hurts"), "nested": [{"ticket": Written("T-1")}]}
    await books.do(events.append, NewEvent(EventKind.REQUESTED, KIM, said, "r-1"))
    [event] = await books.do(events.of_request, "r-1")
    assert (event.actor, event.body) == (KIM, {"reason": "my back hurts", "nested": [{"ticket": "T-1"}]})
    [(actor, body)] = await rows(books, "SELECT actor, body FROM events WHERE request_id = 'r-1'")
    assert not any(word in f"{actor}{body}" for word in ("Kim", "hurts", "T-1"))
    assert await books.do(texts.state_of, body["reason"]) is TextState.INTACT

    await books.do(events.erase_texts, KIM, [UUID(body["reason"]["text"])])
    once = await books.everything()
    await books.do(events.erase_texts, KIM, [UUID(body["reason"]["text"])])

    assert await books.everything() == once
    assert "hurts" not in str(once)
    assert [(actor, body)] == await rows(books, "SELECT actor, body FROM events WHERE request_id = 'r-1'")
    assert await books.do(texts.state_of, body["reason"]) is TextState.ERASED
    assert await books.do(texts.state_of, body["nested"][0]["ticket"]) is TextState.INTACT
    [event] = await books.do(events.of_request, "r-1")
    assert event.body == {"reason": ERASED, "nested": [{"ticket": "T-1"}]}
    [told] = await books.do(events.newest, EventKind.TEXT_ERASED, {}, limit=1)
    assert (told.actor, told.body) == (KIM, {"texts": [body["reason"]["text"]]})


async def test_a_text_is_erased_or_stays_and_nothing_else(books: Books) -> None:
    await books.do(events.append, an_event(reason=Written("as it was")))
    [(reference,)] = await rows(books, "SELECT body -> 'reason' FROM events WHERE request_id = 'r-1'")
    async with connected(books) as connection:
        for change in ("UPDATE texts SET content = 'other'", "DELETE FROM texts", "TRUNCATE texts"):
            with pytest.raises(psycopg.errors.RestrictViolation, match="is refused"):
                await connection.execute(change)
        assert await books.do(texts.state_of, reference) is TextState.INTACT
        await connection.execute("ALTER TABLE texts DISABLE TRIGGER no_change")
        await connection.execute("UPDATE texts SET content = 'other'")
    assert await books.do(texts.state_of, reference) is TextState.CHANGED


# -- nothing is missed


@asynccontextmanager
async def open_transaction(books: Books) -> AsyncIterator[AsyncSession]:
    """A transaction that has its number, and commits when the block is over."""
    async with books.ledger.transaction() as session:
        await (await session.connection()).execute(text("SELECT pg_current_xact_id()"))
        yield session


async def test_what_commits_late_is_not_skipped(books: Books) -> None:
    start = await books.do(events.now)
    async with open_transaction(books) as late:
        await events.append(late, an_event(1))
        await books.do(events.append, an_event(2))
        nothing, position = await books.do(events.following, start)
        assert (nothing, position) == ([], start)
    found, position = await books.do(events.following, position)
    assert numbers(found) == [1, 2]
    assert await books.do(events.following, position) == ([], position)


async def test_what_commits_late_is_not_skipped_although_its_id_is_lower(books: Books) -> None:
    start = await books.do(events.now)
    async with open_transaction(books) as early, open_transaction(books) as late:
        await events.append(late, an_event(1))
        await events.append(early, an_event(2))
        await early.commit()
        first, position = await books.do(events.following, start)
        assert numbers(first) == [2]
    rest, _ = await books.do(events.following, position)
    assert numbers(rest) == [1]
    assert rest[0].id < first[0].id


async def test_more_than_one_look_can_take_comes_with_the_next(books: Books) -> None:
    start = await books.do(events.now)
    await books.do(events.append, *map(an_event, range(events.MOST_AT_ONCE + 1)))
    first, position = await books.do(events.following, start)
    rest, _ = await books.do(events.following, position)
    assert numbers(first) + numbers(rest) == list(range(events.MOST_AT_ONCE + 1))


async def test_a_ledger_that_was_restored_to_another_server_is_followed_from_there(books: Books) -> None:
    """It counts its transactions from the beginning: whoever waits for those of the old one waits for ever."""
    found, position = await books.do(events.following, Position(10**12, 0))
    assert (found, position) == ([], await books.do(events.now))
    await books.do(events.append, an_event(1))
    assert numbers((await books.do(events.following, position))[0]) == [1]


async def test_all_who_follow_in_a_process_share_one_poller_and_each_hears_everything_once(books: Books) -> None:
    stream = EventStream(books.ledger, every=timedelta(milliseconds=10))
    await books.do(events.append, an_event(0))
    async with stream.subscribe() as one, stream.subscribe() as other:
        waiting = asyncio.create_task(anext(one))
        await asyncio.sleep(0)
        waiting.cancel()
        async with open_transaction(books) as late:
            await events.append(late, an_event(1))
            await books.do(events.append, an_event(2))
        await books.do(events.append, an_event(3))
        heard = [[await anext(each) for _ in range(3)] for each in (one, other)]
        assert list(map(numbers, heard)) == [[1, 2, 3], [1, 2, 3]]
        assert len([task for task in asyncio.all_tasks() if "EventStream._poll" in repr(task)]) == 1
    async with stream.subscribe() as again:
        await books.do(events.append, an_event(4))
        assert (await anext(again)).body == {"number": 4}


async def test_for_a_reader_that_is_slow_little_is_kept_and_it_misses_nothing(books: Books) -> None:
    """A page that nothing is read from any more would fill the memory of the portal."""
    stream = EventStream(books.ledger, every=timedelta(milliseconds=1))
    many = event_stream.MOST_WAITING + 3
    async with stream.subscribe() as quick, stream.subscribe() as slow:
        for number in range(many):
            await books.do(events.append, an_event(number))
            assert (await anext(quick)).body == {"number": number}
        assert slow._waiting.qsize() == event_stream.MOST_WAITING
        waited_for = [await anext(slow) for _ in range(many)]
        await books.do(events.append, an_event(many))
        assert numbers([*waited_for, await anext(slow)]) == list(range(many + 1))


async def test_openings_and_extensions_alone_are_hinted_at(books: Books) -> None:
    """A closer that sleeps until the next expiry must hear of an earlier one; of nothing else need it hear."""
    async with connected(books) as connection:
        await connection.execute("LISTEN openings")
        for number, kind in enumerate(EventKind):
            await books.do(events.append, an_event(number, kind))
        heard = [hint async for hint in connection.notifies(timeout=1, stop_after=2)]
        assert [(hint.channel, hint.payload) for hint in heard] == [("openings", "")] * 2
        assert [hint async for hint in connection.notifies(timeout=0.1)] == []


# -- months


async def test_months_are_made_ahead_and_old_ones_are_dropped_whole(books: Books) -> None:
    now = datetime.now(UTC)
    made = await partitions(books)
    assert made[0] == f"events_{now:%Y_%m}"
    await books.do(events.append, an_event())
    assert len(await rows(books, f"TABLE events_{now:%Y_%m}")) == len((await books.everything())["events"])
    await rows(books, "SELECT make_event_partition('2024-02-01')")
    await books.do(events.append, an_event(reason=Written("last year's")), an_event(reason=Written("this year's")))
    async with connected(books) as connection:
        of_then = "INSERT INTO events (recorded_at, actor, kind, body) SELECT %s, actor, kind, body FROM events"
        await connection.execute(f"{of_then} WHERE body ? 'reason' ORDER BY id LIMIT 1", ("2024-02-29 23:59Z",))
    assert await rows(books, "SELECT count(*) FROM events_2024_02") == [(1,)]

    async with connected(books) as connection:
        await connection.execute(f"DROP TABLE {made[2]}")
    await books.do(event_partitions.make_coming)
    assert await books.do(event_partitions.drop_before, date(2024, 2, 1)) == []
    assert await books.do(event_partitions.drop_before, date(2024, 3, 1)) == ["events_2024_02"]
    assert await partitions(books) == made
    kept = await rows(books, "SELECT content FROM texts WHERE salt IS NOT NULL")
    assert set(kept) == {("this year's",), (TESTER.name,)}, "the one who has applied the configuration"
    assert await rows(books, "SELECT count(*) FROM events WHERE recorded_at < '2025-01-01'") == [(0,)]


async def test_a_month_that_began_without_its_partition_stays_in_the_default_one(books: Books) -> None:
    await enter_at(books, "2024-05-05Z")
    assert await rows(books, "SELECT make_event_partition('2024-05-01')") == [(False,)]
    assert await rows(books, "SELECT count(*) FROM events_default") == [(1,)]
