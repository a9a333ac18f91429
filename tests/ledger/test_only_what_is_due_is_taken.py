"""The closer disables what its statement returned and nothing else: never early, and never what was just extended.

An account that is disabled early throws a technician out in the middle of their work; one that both sides leave to the
other stays open.
"""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import admission, due, events, parking, receipts
from entra_jit.ledger.admission import GrantOverError
from entra_jit.ledger.due import Due
from models.actor import CLOSER
from models.events import EventKind
from models.messages import DirectoryCall, Grant
from tests.ledger.books import KEYRING, LEASE, Books, ref, settlement_of

AGAIN = timedelta(seconds=15)
MANY = 1000


async def change(session: AsyncSession, values: str) -> None:
    await (await session.connection()).execute(text(f"UPDATE grants SET {values}"))  # noqa: S608


async def taken(books: Books, again: timedelta = AGAIN) -> list[Due]:
    return await books.do(due.take, again, MANY)


async def open_grant(books: Books, expires: str, technician: str = "alex", tenant: str = "contoso") -> Grant:
    """An open grant whose expiry is so far from now by PostgreSQL's clock."""
    grant = await books.prepared(technician, tenant)
    await books.do(admission.arm, KEYRING, ref(grant), datetime.now(UTC))
    await books.do(admission.opened, grant.request_id, datetime.now(UTC))
    await books.do(change, f"expires_at = clock_timestamp() + interval '{expires}'")
    return grant


def answer_at(at: datetime) -> DirectoryCall:
    return DirectoryCall(
        method="PATCH", path="/users/x", status=204, request_id="r", client_request_id="c", answered_at=at
    )


@pytest.mark.parametrize("rounds", [200, pytest.param(10_000, marks=pytest.mark.long)])
async def test_an_extension_and_an_expiry_in_the_same_instant_see_each_other(books: Books, rounds: int) -> None:
    grant = await open_grant(books, "1 hour")
    outcomes = {True: 0, False: 0}

    async def extend() -> bool:
        await asyncio.sleep(random.uniform(0, 0.004))
        now = datetime.now(UTC)
        try:
            await books.do(admission.extend, KEYRING, ref(grant), now + timedelta(hours=1), now, LEASE)
        except GrantOverError:
            return False
        return True

    async def close() -> list[Due]:
        for _ in range(4):
            if found := await taken(books):
                return found
            await asyncio.sleep(0.001)
        return []

    for _ in range(rounds):
        await books.do(
            change,
            "closing_at = NULL, taken_at = NULL, lease_until = NULL, armed_at = clock_timestamp(), "
            f"expires_at = clock_timestamp() + interval '{random.uniform(0.5, 6):.2f} ms'",
        )
        extended, found = await asyncio.gather(extend(), close())
        await asyncio.sleep(0.007)  # the former expiry is past by now
        found = found or await taken(books)
        assert extended != bool(found), "both, or neither"
        outcomes[extended] += 1
    assert all(outcomes.values()), f"the race was never run both ways: {outcomes}"


async def test_several_at_once_take_each_grant_once_and_one_that_died_is_followed(books: Books) -> None:
    for technician, tenant in (("alex", "contoso"), ("robin", "contoso"), ("alex", "fabrikam")):
        await open_grant(books, "-1 s", technician, tenant)
    shares = await asyncio.gather(*(taken(books) for _ in range(5)))
    assert len({one.request_id for share in shares for one in share}) == 3 == sum(map(len, shares))
    assert await taken(books) == [], "another has just taken them"
    assert len(await taken(books, timedelta(0))) == 3, "nothing came of it"


async def test_a_row_that_another_transaction_holds_keeps_no_other_open(books: Books) -> None:
    held = await open_grant(books, "-1 s")
    other = await open_grant(books, "-1 s", "robin")
    async with books.ledger.transaction() as session:
        query = text("SELECT 1 FROM grants WHERE request_id = :id FOR UPDATE")
        await (await session.connection()).execute(query, {"id": held.request_id})
        assert [one.request_id for one in await taken(books)] == [other.request_id]
    assert [one.request_id for one in await taken(books)] == [held.request_id]


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ("expires_at = clock_timestamp() + interval '30 s'", 0),
        ("expires_at = NULL", 0),
        ("expires_at = clock_timestamp() - interval '2 min'", 0),
        ("settled_at = clock_timestamp()", 0),
        ("disabled_at = clock_timestamp()", 0),
        ("parked_at = clock_timestamp()", 0),
        ("closing_at = clock_timestamp()", 1),
        ("opened_at = NULL", 1),
        ("taken_at = clock_timestamp() - interval '30 s'", 1),
        ("taken_at = clock_timestamp() - interval '30 s', expires_at = clock_timestamp() - interval '5 min'", 1),
        ("taken_at = clock_timestamp() - interval '30 s', expires_at = clock_timestamp() - interval '15 min'", 0),
        ("taken_at = clock_timestamp() - interval '1 day', expires_at = clock_timestamp() - interval '1 min'", 0),
    ],
)
async def test_what_is_taken_is_due_and_not_closed_and_known_to_be_of_today(
    books: Books, changes: str, count: int
) -> None:
    """What was overdue when it was first seen may come from a backup: the reconciler, which reads marks, judges it."""
    grant = await open_grant(books, "-1 s")
    await books.do(change, changes)
    looked = await books.do(due.ahead, timedelta(seconds=2), AGAIN)
    assert len(looked.first) == count
    assert [one.request_id for one in await taken(books)] == [grant.request_id] * count


async def test_taking_fences_and_says_so_once(books: Books) -> None:
    grant = await open_grant(books, "-1 s")
    await taken(books)
    await taken(books, timedelta(0))
    with pytest.raises(GrantOverError, match="is closing"):
        await books.do(admission.take_lease, KEYRING, ref(grant), datetime.now(UTC), LEASE)
    [began] = await books.do(events.of_request, grant.request_id, EventKind.CLOSING_BEGAN)
    assert began.actor.is_same_as(CLOSER)


async def test_a_frozen_process_that_asks_again_leaves_what_was_settled_or_retried_meanwhile(books: Books) -> None:
    """The technician may have a new grant on the same account by then."""
    settled = await open_grant(books, "-1 s")
    retried = await open_grant(books, "-1 s", "robin")
    due_still = await open_grant(books, "-1 s", "alex", "fabrikam")
    ids = [one.request_id for one in await taken(books)]
    assert await books.do(due.still_due, ids) == set(ids)
    await books.settle(settlement_of(settled, at=datetime.now(UTC)))
    now = datetime.now(UTC)
    await books.do(change, "window_ends_at = clock_timestamp() + interval '1 hour'")
    await books.do(parking.park, retried.request_id, "no", now)
    await books.do(parking.unpark, ref(retried), now, by=CLOSER)
    assert await books.do(due.still_due, ids) == {due_still.request_id}


async def test_the_receipt_counts_to_the_closers_disabling(books: Books) -> None:
    grant = await open_grant(books, "-1 s")
    [found] = await taken(books)
    early, late = found.expires_at + timedelta(milliseconds=40), found.expires_at + timedelta(seconds=20)
    for at in (early, late):
        await books.do(due.disabled, [(found, answer_at(at))])
    assert await taken(books, timedelta(0)) == []
    await books.settle(settlement_of(grant, at=late).model_copy(update={"expires_at": found.expires_at}))
    receipt = await books.do(receipts.of_request, grant.request_id)
    assert receipt is not None
    assert receipt.lateness == timedelta(milliseconds=40)
    assert [step.note for step in receipt.steps if step.name == "disabled"] == ["by the closer"] * 2


async def test_a_retried_grant_is_taken_again_at_its_new_expiry(books: Books) -> None:
    grant = await open_grant(books, "-1 s")
    [found] = await taken(books)
    await books.do(due.disabled, [(found, answer_at(datetime.now(UTC)))])
    now = datetime.now(UTC)
    await books.do(change, "window_ends_at = clock_timestamp() + interval '1 hour'")
    await books.do(parking.park, grant.request_id, "no", now)
    await books.do(parking.unpark, ref(grant), now, by=CLOSER)
    [again] = await taken(books)
    assert again.attempt == 2
