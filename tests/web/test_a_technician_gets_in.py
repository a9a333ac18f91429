"""A technician finds a customer, asks, watches it open, sees the credential once, works longer, gives it back.

Elsewhere the form has too many fields, success is shown for what did not happen, and a second look at the password is
always possible. Every step here is a plain form over HTTP, as it is without scripts.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest

from models.messages import GrantState
from tests.patience import PATIENCE_SECONDS
from tests.web.visits import ADMIN, AUDITOR, Portal, Visit

HELPDESK, USERS = "Helpdesk Administrator", "User Administrator"
OK, SEE_OTHER = httpx.codes.OK, httpx.codes.SEE_OTHER


@pytest.fixture(autouse=True)
async def _configured(portal: Portal) -> None:
    """Helpdesk Administrator is privileged, Reports Reader is not."""
    roles = ["Helpdesk Administrator", "Reports Reader"]
    await portal.configure(role_mappings=[{"group": "all-technicians", "roles": roles}])


async def asked(portal: Portal, visit: Visit, customer: str, **fields: str | list[str]) -> httpx.Response:
    """Send the form of a request as it stands, but for ``fields``."""
    form = {"role": [HELPDESK], "length": "60m", "reason": "Mail flow is down", "ticket": "T-1042"} | fields
    return await visit.post(f"/customers/{customer}/request", **form)


async def grant_of(answer: httpx.Response) -> str:
    """The id in the address that a request leads to."""
    assert answer.status_code == SEE_OTHER, answer.text
    return answer.headers["location"].removeprefix("/grants/")


@pytest.fixture
async def opened(portal: Portal, alex: Visit) -> AsyncIterator[str]:
    """An open grant of alex's with the first customer."""
    request_id = await grant_of(await asked(portal, alex, portal.scene.customers[0]))
    await portal.scene.until(request_id, GrantState.OPEN)
    yield request_id
    await alex.post(f"/endings/{request_id}")
    await portal.scene.receipt(request_id)


@pytest.fixture
async def alex(portal: Portal) -> Visit:
    """Signed in just now."""
    return await portal.sign_in("alex")


def text_of(answer: httpx.Response) -> str:
    """What a person reads, without the markup."""
    assert answer.status_code == OK, answer.text
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


async def test_customers_are_found_and_kept_first(portal: Portal) -> None:
    kim = await portal.sign_in("kim")  # for whom no other test asks
    one, two, three, *_ = portal.scene.customers
    text = text_of(await kim.get("/"))
    assert "Nothing is open for you" in text
    assert "You can have: Helpdesk Administrator, Reports Reader" in text

    found = text_of(await kim.get("/", q=f"{two}.onmicrosoft.com"))
    assert (two in found, three in found) == (True, False)
    assert "No customer matches" in text_of(await kim.get("/", q="nowhere"))

    back = await kim.post(f"/customers/{three}/favourite", wanted="true", back="//evil.example/")
    assert back.headers["location"] == "/", "the address of another site is none to go back to"
    text = text_of(await kim.get("/"))
    assert text.index("Favourites") < text.index(three) < text.index("All customers") < text.index(one)
    await kim.post(f"/customers/{three}/favourite", wanted="false")


async def test_the_form_says_what_would_be_given_and_why(portal: Portal, alex: Visit) -> None:
    page = await alex.get(f"/customers/{portal.scene.customer}/request")
    text = text_of(page)
    assert "All technicians, in every tenant" in text
    assert f"{portal.scene.customer} allows at most 12 h, extensions included (max_hours)." in text
    assert f'value="{HELPDESK}">' in page.text, "privileged, so that it is not ticked"
    assert 'value="Reports Reader" checked>' in page.text, "the other is"
    assert portal.scene.account() in text

    for wrong, told in (
        ({"role": []}, "No role was selected."),
        ({"role": [USERS]}, "No role mapping gives 'User Administrator'."),
        ({"length": "13h"}, "13 h cannot be granted"),
        ({"length": "until", "until": "25:00"}, "is not a time"),
        ({"length": ""}, "is not a duration"),
        ({"reason": " "}, "Give a reason"),
    ):
        answer = await asked(portal, alex, portal.scene.customer, **wrong)  # type: ignore[arg-type]
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, answer.headers
        assert told in unescape(answer.text)
        assert "T-1042" in answer.text, "what was filled in is kept"
    assert portal.scene.journal() == [], "nothing was asked of the customer's tenant"


async def test_it_opens_is_shown_once_is_extended_and_given_back(portal: Portal, alex: Visit) -> None:
    customer, scene = portal.scene.customer, portal.scene
    first = await asked(portal, alex, customer, key="once")
    again = await asked(portal, alex, customer, key="once")
    request_id = await grant_of(first)
    assert await grant_of(again) == request_id, "a form that is sent twice asks once"
    await scene.until(request_id, GrantState.OPEN)

    text = text_of(await alex.get(f"/grants/{request_id}"))
    assert "Asked: “Mail flow is down”, ticket T-1042, only Helpdesk Administrator" in text
    assert "Access given and read back: Helpdesk Administrator" in text
    assert "Access asked Helpdesk Administrator" in text
    assert "11 h more possible" in text
    assert "Open ·" in text_of(await alex.get("/"))
    assert "You already have a grant here" in text_of(await alex.get(f"/customers/{customer}/request"))

    assert "Show once" in text_of(await alex.get(f"/credentials/{request_id}"))
    revealed = await alex.post(f"/credentials/{request_id}")
    secret = re.search(r'<code id="secret">([^<]+)</code>', revealed.text)
    assert secret, revealed.text
    assert revealed.headers["cache-control"] == "no-store"
    assert scene.signs_in(scene.account(), temporary_access_pass=unescape(secret[1]))
    second = await alex.post(f"/credentials/{request_id}")
    assert second.status_code == httpx.codes.CONFLICT
    assert secret[1] not in second.text
    assert "It was shown at" in text_of(await alex.get(f"/credentials/{request_id}"))

    renewed = await alex.post(f"/renewals/{request_id}")
    assert renewed.headers["location"] == f"/credentials/{request_id}"
    assert "Show once" in text_of(await alex.get(f"/credentials/{request_id}"))

    assert "11 h more possible" in text_of(await alex.get(f"/extensions/{request_id}"))
    extended = await alex.post(f"/extensions/{request_id}", length="30m", reason="Still down")
    assert extended.status_code == SEE_OTHER, extended.text
    assert "Extended: Still down." in text_of(await alex.get(f"/grants/{request_id}"))

    assert f"Ends 1 grant in {customer}" in text_of(await alex.get(f"/endings/{request_id}"))
    await alex.post(f"/endings/{request_id}", reason="Done")
    await scene.receipt(request_id)
    text = text_of(await alex.get(f"/grants/{request_id}"))
    assert "Account disabled" in text
    assert "Access none Sign-in methods none" in text, "as it was read back"
    scene.assert_closed()
    filled = await alex.get(f"/customers/{customer}/request", again=request_id)
    assert 'value="Mail flow is down"' in filled.text
    assert f'value="{HELPDESK}" checked>' in filled.text
    assert "Closed" in text_of(await alex.get("/", q=customer))


async def test_a_grant_is_its_technicians_alone(portal: Portal, opened: str) -> None:
    """Another technician who knows or guesses an id learns nothing by it, and does nothing."""
    robin, admin, auditor = [await portal.visit(name) for name in ("robin", ADMIN, AUDITOR)]
    for path in ("grants", "live", "extensions", "endings", "credentials"):
        if path == "credentials":
            robin = await portal.sign_in("robin")
        answer = await robin.get(f"/{path}/{opened}")
        assert answer.status_code == httpx.codes.FORBIDDEN, path
        assert "Mail flow" not in answer.text
    for path in ("credentials", "renewals", "extensions", "endings"):
        for visit in (robin, auditor):
            answer = await visit.post(f"/{path}/{opened}", length="30m", reason="mine")
            assert answer.status_code in {httpx.codes.FORBIDDEN, SEE_OTHER}, path
            if answer.status_code == SEE_OTHER:
                assert answer.headers["location"].startswith("/sign-in/begin")
    fresh = await portal.sign_in(ADMIN)
    assert (await fresh.post(f"/credentials/{opened}")).status_code == httpx.codes.FORBIDDEN
    assert "End now" in text_of(await admin.get(f"/grants/{opened}"))
    assert "End now" not in text_of(await auditor.get(f"/grants/{opened}"))
    assert (await portal.scene.status(opened)).sign_in.revealed_at is None  # type: ignore[union-attr]


async def test_a_secret_demands_a_fresh_sign_in(portal: Portal, opened: str) -> None:
    """An unlocked browser that was left alone shows no credential."""
    alex = await portal.sign_in("alex")
    portal.scene.sql("UPDATE sessions SET signed_in_at = signed_in_at - interval '6 minutes'")
    assert (await alex.get(f"/grants/{opened}")).status_code == OK
    for answer in (
        await alex.get(f"/credentials/{opened}"),
        await alex.post(f"/credentials/{opened}"),
        await alex.post(f"/renewals/{opened}"),
    ):
        assert answer.headers["location"].startswith("/sign-in/begin"), answer.text


@contextlib.asynccontextmanager
async def followed(visit: Visit, path: str, **headers: str) -> AsyncIterator[AsyncIterator[tuple[str, str]]]:
    """The server-sent events of a page: id and data each; an event's name where it has no data."""

    async def events(answer: httpx.Response) -> AsyncIterator[tuple[str, str]]:
        number, data, name = "", [], ""
        async for line in answer.aiter_lines():
            key, _, value = line.partition(": ")
            if key == "data":
                data.append(value)
            elif key == "id":
                number = value
            elif key == "event":
                name = value
            elif not line and (data or name):
                yield number, name or "\n".join(data)
                number, data, name = "", [], ""

    async with asyncio.timeout(PATIENCE_SECONDS), visit.http.stream("GET", path, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream"), await answer.aread()
        yield events(answer)


async def test_the_page_follows_the_journal_and_goes_on_where_it_was(portal: Portal, alex: Visit, opened: str) -> None:
    async with followed(alex, f"/live/{opened}") as events:
        number, data = await anext(events)
        assert "Account opened" in data

    async with followed(alex, f"/live/{opened}", **{"Last-Event-ID": number}) as events:
        await alex.post(f"/endings/{opened}", reason="enough")
        later, data = await anext(events)
        assert later != number
        assert "Account opened" in data, "the whole part, so that nothing that came meanwhile is missing"
        async for _, data in events:
            if data == "over":
                break
    assert (await portal.scene.status(opened)).state.is_final


async def test_a_live_page_ends_with_the_session(portal: Portal, opened: str) -> None:
    alex = await portal.sign_in("alex")
    async with followed(alex, f"/live/{opened}") as events:
        await anext(events)
        await alex.post("/sign-out")
        other = await portal.sign_in("alex")
        await other.post(f"/extensions/{opened}", length="15m", reason="longer")
        [_, data] = await anext(events)
        assert "You are signed out" in data
        assert "longer" not in data


async def test_lists_and_pages_need_no_worker_and_say_what_is_waited_for(portal: Portal, alex: Visit) -> None:
    """A request that no worker has seen is not lost from sight: it waits, by whom and until when is said."""
    [worker] = portal.scene.workers
    await portal.scene.stop_worker(worker)
    try:
        request_id = await grant_of(await asked(portal, alex, portal.scene.customers[1]))
        text = text_of(await alex.get(f"/grants/{request_id}"))
        assert "Not decided yet." in text
        assert "no worker has taken the request" in text
        robin = await portal.visit("robin")
        assert (await robin.get(f"/grants/{request_id}")).status_code == httpx.codes.FORBIDDEN
        assert (await alex.post(f"/endings/{request_id}")).status_code == SEE_OTHER
    finally:
        await portal.scene.start_worker()
    await portal.scene.receipt(request_id)
