"""A technician sees the customers that they may ask for, and where each stands: no other's, and each of them.

A list that is made page by page in the browser loses those that change places meanwhile, and one that asks again for
each tenant is slow with 500 of them. A tile that shows what was intended says "closed" of an account that is open.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid5

import pytest

from entra_jit.ledger import admission, configuration, customers, fences, holds
from entra_jit.ledger.customers import Customer, Customers
from entra_jit.ledger.names import find_technician, find_tenant
from entra_jit.policy.entitlement import Technician, entitled_access
from entra_jit.policy.situations import Light
from models.errors import BadInputError
from models.holds import HoldKind
from models.messages import TenantId
from tests.actors import TESTER
from tests.ledger.books import ALEX, CONTOSO, KEYRING, LEASE, NOON, Books, a_configuration, ref, settlement_of

HOUR = timedelta(hours=1)


async def listed(books: Books, technician: str = "alex", at: timedelta = HOUR, **options: object) -> Customers:
    async with books.ledger.transaction() as session:
        whose = await find_technician(session, technician)
        return await customers.listed(session, whose, NOON + at, **options)  # type: ignore[arg-type]


async def contoso(books: Books, at: timedelta = HOUR) -> Customer:
    return next(one for one in (await listed(books, at=at)).found if one.name == "contoso")


async def opened(books: Books) -> str:
    grant = await books.armed()
    await books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE)
    await books.do(admission.opened, grant.request_id, NOON)
    return grant.request_id


async def light_and_word(books: Books, at: timedelta = HOUR) -> tuple[Light, str]:
    found = (await contoso(books, at)).situation
    return found.light, found.word


async def test_each_state_has_its_colour_and_its_word(books: Books) -> None:
    assert await light_and_word(books) == (Light.GREY, "Not used yet")

    grant = await books.granted()
    assert await light_and_word(books) == (Light.AMBER, "Preparing")
    await books.settle(settlement_of(grant))
    assert await light_and_word(books) == (Light.GREY, "Expired"), "it was never opened"

    request_id = await opened(books)
    found = await contoso(books)
    assert (found.situation.light, found.situation.word, found.request_id) == (Light.GREEN, "Open", request_id)
    assert found.expires_at == NOON + 4 * HOUR
    assert found.access == ("Helpdesk Administrator",)
    assert await light_and_word(books, 5 * HOUR) == (Light.RED, "Overdue"), "nothing closes it"

    await books.do(fences.fence, request_id, NOON + 4 * HOUR, LEASE)
    assert await light_and_word(books, 4 * HOUR) == (Light.AMBER, "Closing")


async def test_what_is_over_is_closed_only_when_the_directory_said_so(books: Books) -> None:
    grant = await books.armed()
    await books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE)
    await books.do(admission.opened, grant.request_id, NOON)
    settled = settlement_of(grant)
    unproven = settled.standing.model_copy(update={"vanished": True, "exists": False}) if settled.standing else None
    await books.settle(settled.model_copy(update={"standing": unproven}))
    assert await light_and_word(books, 9 * HOUR) == (Light.RED, "Not proven closed")
    assert (await contoso(books)).section == customers.LIVE, "it stays on top"


async def test_what_is_in_the_way_is_said_before_it_is_asked_for(books: Books) -> None:
    await books.do(holds.place, HoldKind.PAUSE, by=TESTER, reason="Microsoft is down", at=NOON)
    found = (await contoso(books)).situation
    assert (found.light, found.word) == (Light.AMBER, "Paused")
    assert found.sentence.startswith("Provisioning for every tenant is paused since")
    await books.do(holds.place, HoldKind.STOP, technician_id=ALEX, by=TESTER, reason="a theft", at=NOON)
    assert await light_and_word(books) == (Light.RED, "Stopped")
    assert (await listed(books, "robin")).found[0].situation.word == "Paused", "the stop is alex's"


async def test_the_list_is_what_the_role_mappings_give(books: Books) -> None:
    """What is read in SQL, for the list and for a decision, and what the policy gives must not come to differ."""
    await books.configure(
        technicians=[
            {"name": "alex", "id": str(ALEX), "attributes": {"level": "2"}},
            {"name": "robin", "id": str(UUID(int=7))},
        ],
        groups=[
            {"name": "listed", "members": ["robin"]},
            {"name": "senior", "attributes": {"level": "2"}},
            {"name": "junior", "attributes": {"level": "3"}},
        ],
        role_mappings=[
            {"group": "listed", "tenant": "fabrikam", "roles": ["User Administrator"]},
            {"group": "senior", "roles": ["Exchange Administrator"]},
            {"group": "junior", "roles": ["User Administrator"]},
            {"group": "all-technicians", "tenant": "contoso", "roles": ["Helpdesk Administrator"]},
        ],
    )
    async with books.ledger.transaction() as session:
        groups = await configuration.groups(session)
        mappings = await configuration.role_mappings(session)
        for name in ("alex", "robin"):
            whose = await find_technician(session, name)
            shown = {one.name: one.can_have for one in (await customers.listed(session, whose, NOON)).found}
            for tenant in ("contoso", "fabrikam"):
                there = TenantId(str((await find_tenant(session, tenant)).id))
                person = Technician(whose.id, whose.attributes)
                given = entitled_access(person, there, groups, mappings)
                assert shown.get(tenant, ()) == tuple(sorted(item.name for item in given))
                theirs = await configuration.groups_of(session, whose)
                those = await configuration.mappings_of(session, theirs, UUID(there))
                assert entitled_access(person, there, theirs, those) == given
                assert len(those) == len(given), "no mapping of another technician or tenant is read"


async def test_who_has_left_sees_what_is_still_open_and_nothing_else(books: Books) -> None:
    await opened(books)
    await books.configure(technicians=[{"name": "robin", "id": str(UUID(int=7))}])
    assert [(one.name, one.can_have) for one in (await listed(books)).found] == [("contoso", ())]


@pytest.fixture
async def many(books: Books) -> Books:
    """500 customers, of which one is open, one a favourite, one was used."""
    [template] = [tenant for tenant in a_configuration()["tenants"] if tenant["name"] == "contoso"]
    others = [
        {**template, "name": f"t-{number:03}", "id": str(uuid5(CONTOSO, str(number))), "tags": [f"tag{number % 7}"]}
        for number in range(498)
    ]
    await books.configure(tenants=[*a_configuration()["tenants"], *others])
    await opened(books)
    await books.settle(settlement_of(await books.granted(tenant="t-400")))
    await books.do(customers.set_favourite, ALEX, uuid5(CONTOSO, "300"), wanted=True)
    await books.do(customers.set_favourite, ALEX, uuid5(CONTOSO, "300"), wanted=True)
    return books


async def test_five_hundred_are_one_statement_a_page_and_each_is_listed_once(many: Books) -> None:
    async with many.ledger.transaction() as session:
        whose = await find_technician(session, "alex")
        before = many.ledger.statements
        page = await customers.listed(session, whose, NOON + HOUR)
        assert many.ledger.statements == before + 2, "the groups and the page"
    names = [one.name for one in page.found]
    assert names[:4] == ["contoso", "t-300", "t-400", "fabrikam"], "open, favourite, used, the rest by name"
    assert page.total == 500

    while page.found.following:
        page = await listed(many, after=page.found.following)
        names += [one.name for one in page.found]
        assert page.total == 500
    assert len(names) == len(set(names)) == 500


async def test_each_word_of_a_search_narrows_it(many: Books) -> None:
    assert (await listed(many, search="CONTOSO.onmicrosoft t-3")).total == 100, "domain and name, in any case"
    assert (await listed(many, search="tag3 t-0")).total == 14
    assert (await listed(many, search="100%")).total == 0, "what is typed is no pattern"
    with pytest.raises(BadInputError, match="no place in this list"):
        await listed(many, after="gibberish")
