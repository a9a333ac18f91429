"""Lists stay quick with 500 customers and as many receipts as ten years leave.

A list that reads its whole table to show fifty rows is quick in every demonstration, and times out in the third year.
So each statement of each list is planned here by PostgreSQL, over many rows: none may read a large table from end to
end, nor many more rows than it shows.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import event

from entra_jit.ledger import (
    alarms,
    attention,
    due,
    events,
    failures,
    grants,
    holds,
    interventions,
    open_grants,
    receipt_search,
    statuses,
)
from entra_jit.ledger.database import Ledger
from entra_jit.ledger.names import find_technician, find_tenant
from entra_jit.local_stack.postgres import Postgres
from entra_jit.policy.punctuality import AHEAD
from models.errors import BadInputError
from models.messages import GrantState
from models.selections import OpenGrants, OpenState, Receipts
from tests.databases import new_database
from tests.ledger.books import LEASE, NOON, Books
from tests.ledger.many import fill

RECEIPTS, LIVE = 20_000, 60
LARGE = {"receipts", "grants", "requests", "texts"}
SHOWN = 50


@pytest.fixture(scope="module")
async def large(postgres: Postgres) -> AsyncIterator[Books]:
    url = new_database(postgres.url)
    fill(url, now=NOON, tenants=100, technicians=20, receipts=RECEIPTS, live=LIVE)
    async with Ledger(SecretStr(url)) as ledger:
        yield Books(ledger)


@contextmanager
def statements(ledger: Ledger) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of PostgreSQL meanwhile."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(ledger._engine.sync_engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(ledger._engine.sync_engine, "before_cursor_execute", note)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan and everything below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


ONE = "customer-8/technician-2/107"


async def by_names(books: Books, *, tenant: str | None = None, technician: str | None = None) -> Any:
    async with books.ledger.transaction() as session:
        there = await find_tenant(session, tenant) if tenant else None
        whose = await find_technician(session, technician) if technician else None
        rows = await grants.listed(session, tenant=there, technician=whose, limit=SHOWN)
        assert rows
        return await statuses.of_requests(session, rows, NOON)


async def failures_of(books: Books, tenant: str) -> Any:
    there = await books.do(find_tenant, tenant)
    await books.do(failures.live, there)
    return await books.do(failures.ended_in_failure, NOON - timedelta(hours=24), there)


async def interventions_in(books: Books) -> Any:
    return await books.do(interventions.proofs, [grant for _, grant in await books.do(failures.live)])


List = Callable[[Books], Awaitable[Any]]

LISTS: dict[str, List] = {
    "receipts": lambda books: books.do(receipt_search.search, Receipts(), after=None, limit=SHOWN),
    "receipts of a customer": lambda books: books.do(
        receipt_search.search, Receipts(tenant="customer-7"), after=None, limit=SHOWN
    ),
    "receipts of a person": lambda books: books.do(
        receipt_search.search, Receipts(technician="technician-3"), after=None, limit=SHOWN
    ),
    "receipts of a day": lambda books: books.do(
        receipt_search.search,
        Receipts(since=NOON - timedelta(days=9), before=NOON - timedelta(days=8)),
        after=None,
        limit=SHOWN,
    ),
    "receipts of a ticket": lambda books: books.do(
        receipt_search.search, Receipts(ticket="t-7"), after=None, limit=SHOWN
    ),
    "late receipts": lambda books: books.do(
        receipt_search.search, Receipts(late_or_unproven=True), after=None, limit=SHOWN
    ),
    "open grants": lambda books: books.do(open_grants.listed, OpenGrants(), NOON, after=None, limit=SHOWN),
    "open grants of a customer": lambda books: books.do(
        open_grants.listed, OpenGrants(tenant="customer-7"), NOON, after=None, limit=SHOWN
    ),
    "open grants of a ticket": lambda books: books.do(
        open_grants.listed, OpenGrants(ticket="t-668"), NOON, after=None, limit=SHOWN
    ),
    "overdue grants": lambda books: books.do(
        open_grants.listed, OpenGrants(state=OpenState.OVERDUE), NOON, after=None, limit=SHOWN
    ),
    "newest requests": lambda books: books.do(grants.listed, limit=SHOWN),
    "requests for a customer": lambda books: by_names(books, tenant="customer-7"),
    "requests of a person": lambda books: by_names(books, technician="technician-3"),
    "requests of a person for a customer": lambda books: by_names(
        books, tenant="customer-7", technician="technician-3"
    ),
    "failures": lambda books: books.do(failures.ended_in_failure, NOON - timedelta(hours=24)),
    "live grants": lambda books: books.do(failures.live),
    "failures of a customer": lambda books: failures_of(books, "customer-7"),
    "alarms": lambda books: books.do(alarms.listed),
    "alarms that are over": lambda books: books.do(alarms.over),
    "alarms of a customer that are over": lambda books: books.do(alarms.over, tenant="customer-7"),
    "holds": lambda books: books.do(holds.in_force),
    "the interventions in live grants": interventions_in,
    "one grant": lambda books: books.do(grants.with_receipt, ONE),
    "the journal of one grant": lambda books: books.do(events.of_request, ONE),
    "what ends soon": lambda books: books.do(due.ahead, AHEAD, LEASE),
    "what has ended": lambda books: books.do(due.take, LEASE, 128),
    "what a closer remembers": lambda books: books.do(due.live),
    "what is not settled in time": lambda books: books.do(due.unsettled, timedelta(minutes=5)),
    "attention": lambda books: books.do(attention.count, NOON, NOON - timedelta(hours=24)),
}


@pytest.mark.parametrize("name", LISTS)
async def test_no_large_table_is_read_from_end_to_end(name: str, large: Books) -> None:
    with statements(large.ledger) as asked:
        await LISTS[name](large)
    assert asked
    for statement, parameters in asked:
        async with large.ledger.transaction() as session:
            connection = await session.connection()
            explained = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
            [top] = explained.scalar_one()
        for node in nodes(top["Plan"]):
            read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            what = json.dumps({key: value for key, value in node.items() if key != "Plans"}), statement
            assert node["Node Type"] != "Seq Scan" or node["Relation Name"] not in LARGE, what
            assert read * node["Actual Loops"] <= 2_000, what


async def walked(page: Callable[[str | None], Awaitable[Any]]) -> list[Any]:
    """All rows, part by part."""
    rows, after, first = [], None, True
    while first or after:
        part = await page(after)
        rows += part
        after, first = part.following, False
    return rows


async def test_parts_are_the_whole_in_its_order(large: Books) -> None:
    chosen = Receipts(since=NOON - timedelta(minutes=10 * (LIVE + 899)))
    found = await walked(lambda after: large.do(receipt_search.search, chosen, after=after, limit=70))
    [*urgent] = [one for one in found if one.receipt.is_late_or_unproven]
    assert len(found) == 900
    assert found[: len(urgent)] == urgent
    for part in (urgent, found[len(urgent) :]):
        moments = [one.receipt.settled_at for one in part]
        assert moments == sorted(moments, reverse=True)
    assert len({one.receipt.request.request_id for one in found}) == len(found)
    assert found[0].receipt.request.reason.startswith("Mail flow is down")
    assert found[0].receipt.steps == ()

    opened = await walked(lambda after: large.do(open_grants.listed, OpenGrants(), NOON, after=after, limit=30))
    assert len(opened) == LIVE
    due = [one.due_at for one in opened]
    assert due == sorted(due)
    assert {one.status.state for one in opened} == {GrantState.OPEN}
    found = await large.do(receipt_search.search, Receipts(ticket="t-7"), after=None, limit=SHOWN)
    assert [one.receipt.request.request_id.split("/")[-1] for one in found] == ["230", "220", "210"]
    live = await large.do(open_grants.listed, OpenGrants(ticket="T-668"), NOON, after=None, limit=SHOWN)
    assert {one.ticket for one in live} == {"T-668"}
    overdue = await large.do(open_grants.listed, OpenGrants(state=OpenState.OVERDUE), NOON, after=None, limit=LIVE)
    assert overdue == [one for one in opened if one.is_overdue] == opened[: len(overdue)]
    assert 0 < len(overdue) < LIVE
    counted = await large.do(attention.count, NOON, NOON)
    assert (counted.open, counted.overdue, counted.trouble) == (LIVE, len(overdue), 0)


async def test_an_address_that_names_no_place_is_refused(large: Books) -> None:
    for cursor in ("", "!", "bm90IGpzb24", "WzEsMl0", "W3RydWUsbnVsbCwieCJd", "é"):
        with pytest.raises(BadInputError, match="names no place"):
            await large.do(receipt_search.search, Receipts(), after=cursor, limit=7)
