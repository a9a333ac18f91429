"""A failed grant is listed until it was made up for, and no longer.

A list that hides a failure leaves a technician without access, and no operator knows. A list that shows old failures
is no longer read.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from entra_jit.ledger import failures, requests
from models.actor import PROVISIONING_WINDOW
from models.messages import AccessRequest, Ending, FailureType, Grant, GrantState, Verdict
from tests.actors import operator
from tests.ledger.books import NOON, Books, settlement_of

SOON = NOON + timedelta(minutes=1)


async def fail(books: Books, grant: Grant) -> None:
    ending = Ending(state=GrantState.FAILED, by=PROVISIONING_WINDOW, failure=FailureType.PERMANENT)
    await books.settle(settlement_of(grant).model_copy(update={"ending": ending}))


async def shown(books: Books, since: datetime = NOON) -> list[str]:
    return [request.id for request, _, _ in await books.do(failures.ended_in_failure, since)]


async def test_it_is_shown_until_its_technician_has_access_by_another_request(books: Books) -> None:
    grant = await books.granted()
    # Asked for again while it was parked: denied, since the technician has a grant there.
    while_parked = await books.answer(books.a_request(at=SOON), SOON)
    assert while_parked.verdict is Verdict.DENIED
    await fail(books, grant)
    assert await shown(books) == [grant.request_id]
    assert await shown(books, since=NOON + timedelta(days=1)) == []

    for technician, tenant in (("robin", "contoso"), ("alex", "fabrikam")):
        await books.answer(books.a_request(technician, tenant, SOON), SOON)
    assert await shown(books) == [grant.request_id], "another's access, or elsewhere, makes up for nothing"
    assert (await books.answer(books.a_request(at=SOON), SOON)).verdict is Verdict.ALLOWED
    assert await shown(books) == []


async def test_it_is_shown_by_its_last_replay_alone(books: Books) -> None:
    first = await books.granted()
    await fail(books, first)
    replay: AccessRequest = books.a_request(at=SOON).model_copy(update={"replay_of": first.request_id})
    await books.configure(role_mappings=[])
    assert (await books.answer(replay, SOON)).verdict is Verdict.DENIED

    assert await shown(books) == [], "a denial is the answer to it"
    request = await books.do(requests.by_id, first.request_id)
    assert request is not None
    assert (await books.do(failures.last_of_line, request)).id == replay.request_id


async def test_what_ended_as_it_should_is_no_failure(books: Books) -> None:
    for technician, state in (("alex", GrantState.ENDED), ("robin", GrantState.CANCELLED)):
        grant = await books.granted(technician)
        ending = Ending(state=state, by=operator("kim"))
        await books.settle(settlement_of(grant).model_copy(update={"ending": ending}))
    denied = await books.answer(books.a_request(tenant="nowhere"))
    assert denied.verdict is Verdict.DENIED
    assert await shown(books) == []
