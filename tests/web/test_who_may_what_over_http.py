"""Every address, asked by everyone: people without a session, another technician, an admin, an auditor.

A screen that forgets to pass its visitor to the operation, or an operation that forgets whose a grant is, would show
one technician the credential of another. An address that is missing in the table fails this test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from entra_jit.operations.end_access import end_access
from models.messages import GrantState
from tests.actors import TESTER
from tests.web.visits import ADDRESSES, ADMIN, AUDITOR, STREAMS, Portal, Visit, routes_of

OWNER, OTHER = "alex", "robin"
EVERYONE = {OWNER, OTHER, ADMIN, AUDITOR}
STAFF = {ADMIN, AUDITOR}

REFUSED: dict[tuple[str, str], set[str]] = {
    ("GET", "/"): set(),
    ("GET", "/tiles"): STAFF,
    ("GET", "/profile"): set(),
    ("POST", "/profile/sessions/end"): set(),
    ("POST", "/profile/sessions/end-all"): set(),
    ("POST", "/sign-out"): set(),
    ("GET", "/sign-ins"): {OWNER, OTHER},
    ("POST", "/sign-ins/accept"): {OWNER, OTHER, AUDITOR},
    ("POST", "/customers/{tenant}/favourite"): STAFF,
    ("GET", "/customers/{tenant}/request"): STAFF,
    ("POST", "/customers/{tenant}/request"): STAFF,
    ("GET", "/grants/{request_id:path}"): {OTHER},
    ("GET", "/live/{request_id:path}"): {OTHER},
    ("GET", "/extensions/{request_id:path}"): {OTHER},
    ("POST", "/extensions/{request_id:path}"): {OTHER, *STAFF},
    ("GET", "/endings/{request_id:path}"): {OTHER},
    ("POST", "/endings/{request_id:path}"): {OTHER, AUDITOR},
    ("GET", "/credentials/{request_id:path}"): {OTHER},  # that there is one; it shows nothing
    ("POST", "/credentials/{request_id:path}"): {OTHER, *STAFF},
    ("POST", "/renewals/{request_id:path}"): {OTHER, *STAFF},
    ("GET", "/receipts/{request_id:path}"): {OTHER},
    **{
        ("GET", path): {OWNER, OTHER}
        for path in ("/open", "/trouble", "/holds", "/emergency", "/evidence", "/evidence.csv")
    },
    ("GET", "/stop"): {OWNER, OTHER, AUDITOR},
    **{
        ("POST", path): {OWNER, OTHER, AUDITOR}
        for path in (
            *("/stop", "/holds/pause", "/holds/resume", "/holds/lift"),
            *("/trouble/retry", "/trouble/replay", "/trouble/clear"),
            *("/emergency/drill", "/emergency/rotate"),
        )
    },
    **{
        ("GET", path): {OWNER, OTHER}
        for path in (
            *("/tenants", "/tenants/{tenant}", "/configuration", "/configuration.yaml"),
            *("/people", "/people/technicians/{name}", "/people/groups/{name}"),
        )
    },
    **{
        (method, path): {OWNER, OTHER, AUDITOR}
        for path in (
            "/emergency/{tenant}/{number}",
            *("/add-customer/registration", "/add-customer/{tenant_id}"),
            *("/tenants/{tenant}/settings", "/tenants/{tenant}/access", "/tenants/{tenant}/registration"),
            *("/tenants/{tenant}/repairs", "/tenants/{tenant}/disconnect"),
            *("/people/technicians", "/people/groups", "/people/groups/{name}/access", "/configuration/defaults"),
        )
        for method in ("GET", "POST")
    },
    **{
        ("GET", path): {OWNER, OTHER, AUDITOR}
        for path in ("/add-customer", "/configuration/preview", "/waiting/{operation}/{errand_id}")
    },
    **{
        ("POST", path): {OWNER, OTHER, AUDITOR}
        for path in (
            *("/connect", "/add-customer/invitation", "/configuration/save"),
            *("/tenants/{tenant}/doctor", "/tenants/{tenant}/canary", "/tenants/{tenant}/removal"),
            *("/people/technicians/{name}/removal", "/people/groups/{name}", "/people/groups/{name}/removal"),
        )
    },
}
"""Who is refused at an address that is about the owner's grant, or about no one's."""

FOR_ALL = {("GET", path) for path in (*ADDRESSES, "/sign-in")} | {
    ("POST", "/connect/invited"),
    ("GET", "/connect/waiting/{operation}/{errand_id}"),
}
NO_PAGES_YET = STREAMS | {
    "/live/{request_id:path}",
    "/receipts/{request_id:path}",
    "/add-customer/{tenant_id}",
    "/configuration/preview",
    "/emergency/{tenant}/{number}",
}
"""A stream that does not end, a receipt that is written when the grant is over, a customer who is not connected, a
change and an emergency account that are not made."""

FIELDS = {
    "length": "30",
    "wanted": "true",
    "reason": "a test",
    "reader": "a public key",
    "person": "0a0a0a0a-1111-4111-8111-0000000000a6",
    "name": "sasha",
    "number": "1",
    "grant": "a-grant",
    "kind": "closing late",
    "subject": "a-grant",
    "tenant": "customer-000",
    "confirmation": "stop",
    "session": "0a0a0a0a-1111-4111-8111-0000000000a6",
    "version": "1",
    "domain": "contoso.onmicrosoft.com",
    "edits": "[]",
    "agreed": "{}",
    "change": "a change",
    "group": "all-technicians",
    "client_id": "0a0a0a0a-1111-4111-8111-0000000000a6",
    "id": "0a0a0a0a-1111-4111-8111-0000000000a6",
}


@pytest.fixture(scope="module")
async def grant(portal: Portal) -> AsyncIterator[str]:
    """An open grant of the owner's."""
    request_id = await portal.scene.ask(OWNER, customer=portal.scene.customers[-1], hours=4)
    await portal.scene.until(request_id, GrantState.OPEN)
    yield request_id
    await end_access(TESTER, portal.scene.app, request_id)


async def asked(visit: Visit, method: str, path: str, csrf: str = "") -> httpx.Response:
    """The answer to one address, with every field that any form has."""
    if method == "GET":
        return await visit.get(path, **({"edits": "[]", "version": "1"} if path == "/configuration/preview" else {}))
    return await visit.post(path, csrf=csrf, **FIELDS)


def about(path: str, portal: Portal, request_id: str) -> str:
    """The address for this grant and its customer."""
    named = OWNER if "/technicians/" in path else "senior"
    path = path.replace("{request_id:path}", request_id).replace("{tenant}", portal.scene.customers[-1])
    path = path.replace("{operation}", "disconnect_tenant").replace("{errand_id}", "unknown")
    return path.replace("{tenant_id}", FIELDS["session"]).replace("{name}", named).replace("{number}", "1")


def test_every_address_is_in_the_table(portal: Portal) -> None:
    assert set(routes_of(portal.web)) == REFUSED.keys() | FOR_ALL


async def test_without_a_session_every_address_leads_to_the_sign_in(portal: Portal, grant: str) -> None:
    stranger = Visit(portal.origin)
    for method, path in REFUSED:
        answer = await asked(stranger, method, about(path, portal, grant))
        assert answer.status_code == httpx.codes.SEE_OTHER, (method, path)
        assert answer.headers["location"].startswith("/sign-in?to="), (method, path)


@pytest.mark.parametrize("name", [OTHER, ADMIN, AUDITOR])
async def test_who_is_refused_gets_nothing_and_changes_nothing(portal: Portal, grant: str, name: str) -> None:
    visit = await portal.sign_in(name)  # just now: a refusal must not hide behind a sign-in that is too old
    csrf = visit.token_in(await visit.get("/profile"))
    before = await portal.scene.status(grant)
    account = before.account_name or "none"
    for (method, path), refused in REFUSED.items():
        if name in refused:
            answer = await asked(visit, method, about(path, portal, grant), csrf)
            assert answer.status_code == httpx.codes.FORBIDDEN, (method, path, answer.text[-600:])
            assert account not in answer.text, (method, path)
    assert await portal.scene.status(grant) == before


@pytest.mark.parametrize("name", sorted(EVERYONE))
async def test_who_is_not_refused_sees_the_page(portal: Portal, grant: str, name: str) -> None:
    visit = await portal.sign_in(name)
    for (method, path), refused in REFUSED.items():
        if method == "GET" and name not in refused and path not in NO_PAGES_YET:
            answer = await visit.get(about(path, portal, grant))
            if path == "/" and name in STAFF:
                assert answer.headers["location"] == "/open"
                continue
            assert answer.status_code == httpx.codes.OK, (path, answer.text[-600:])


async def test_an_id_that_does_not_exist_is_answered_like_another_persons(portal: Portal, grant: str) -> None:
    """Else ids could be tried until one answers otherwise."""
    visit = await portal.visit(OTHER)
    guessed = [await visit.get(f"/grants/{one}") for one in (grant, f"{grant}0", "nothing", "a/b/c")]
    assert {answer.status_code for answer in guessed} == {httpx.codes.FORBIDDEN}


async def test_what_shows_a_secret_asks_again_who_it_is_after_five_minutes(portal: Portal, grant: str) -> None:
    visit = await portal.sign_in("alex")
    portal.scene.sql("UPDATE sessions SET signed_in_at = now() - interval '6 minutes'")
    for method, path in REFUSED:
        if path.startswith(("/credentials", "/renewals")):
            answer = await asked(visit, method, about(path, portal, grant), visit.token_in(await visit.get("/profile")))
            assert answer.headers["location"].startswith("/sign-in/begin?to="), (method, path)
            assert "anew=1" in answer.headers["location"]
    portal.scene.sql("UPDATE sessions SET signed_in_at = NULL")
    assert (await visit.get(f"/credentials/{grant}")).status_code == httpx.codes.SEE_OTHER
    portal.scene.sql("UPDATE sessions SET signed_in_at = began_at")
