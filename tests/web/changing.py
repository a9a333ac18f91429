"""An admin who changes the configuration: forms, previews, saved changes; and the way to Microsoft and back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from html import unescape
from typing import Any

import httpx

from entra_jit.settings import OwnApplication
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.person import Callback, Page, Person
from tests.sandbox.seeded import ELEVATE, REVOKE, SECRETS
from tests.stage import CUSTOMERS_PASSWORD, Services
from tests.web.visits import Portal, Visit, opened_portal

OK, SEE_OTHER, CONFLICT = httpx.codes.OK, httpx.codes.SEE_OTHER, httpx.codes.CONFLICT
REFUSED = httpx.codes.UNPROCESSABLE_ENTITY

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@asynccontextmanager
async def msp_with(services: Services, customers: int) -> AsyncIterator[Portal]:
    """An MSP with applications of its own, and this many customers; the last of them has never heard of us."""
    own = {
        purpose: OwnApplication.model_validate(
            {"client_id": client_id, "secret": SECRETS[client_id], "secret_expires": date(2099, 1, 1)}
        )
        for purpose, client_id in (("elevate", ELEVATE), ("revoke", REVOKE))
    }
    async with opened_portal(services, customers=customers, **own) as portal:
        await portal.configure(customers=portal.scene.customers[:-1])
        for client_id in (ELEVATE, REVOKE):
            portal.scene.control("DELETE", f"/tenants/{portal.scene.customers[-1]}/applications/{client_id}")
        yield portal


def text_of(answer: httpx.Response) -> str:
    """What a person reads, without the markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def hidden(answer: httpx.Response) -> dict[str, str]:
    """The hidden fields of the page's forms, but for the token; the last form counts."""
    found = {name: unescape(value) for name, value in _HIDDEN.findall(answer.text)}
    found.pop("csrf", None)
    return found


async def version(visit: Visit) -> str:
    """The configuration that is in force."""
    found = re.search(r"Version (\d+)", text_of(await visit.get("/configuration")))
    return found[1] if found else "0"


async def previewed(visit: Visit, path: str, **fields: str | list[str]) -> httpx.Response:
    """Send a form as it would be filled in now; the preview that it leads to."""
    filled: dict[str, Any] = {"version": await version(visit)} | fields
    answer = await visit.post(path, **filled)
    assert answer.status_code == SEE_OTHER, answer.text
    return await visit.http.get(answer.headers["location"])


async def saved(visit: Visit, preview: httpx.Response, **fields: str) -> httpx.Response:
    """Save what a preview shows."""
    assert preview.status_code == OK, preview.text
    return await visit.post("/configuration/save", **hidden(preview), **({"reason": "a test"} | fields))


async def arrived_at(visit: Visit, answer: httpx.Response, path: str | None = None) -> httpx.Response:
    """The page that a save leads to, with the notice of what was saved."""
    assert answer.status_code == SEE_OTHER, answer.text
    where = answer.headers["location"]
    if path is not None:
        assert where.partition("?")[0] == path
    return await visit.http.get(where)


async def changed(visit: Visit, path: str, **fields: str | list[str]) -> str:
    """Change something; where that leads to."""
    answer = await saved(visit, await previewed(visit, path, **fields))
    assert answer.status_code == SEE_OTHER, answer.text
    return answer.headers["location"].partition("?")[0]


async def awaited(visit: Visit, answer: httpx.Response) -> httpx.Response:
    """What comes after the page that waits for a worker, where there is one."""
    while "/waiting/" in (where := answer.headers.get("location", str(answer.url) if answer.status_code == OK else "")):
        await asyncio.sleep(0.05)
        answer = await visit.http.get(where)
    return answer


async def authorize(portal: Portal, visit: Visit, begun: httpx.Response) -> httpx.Response:
    """Consent twice and sign in, as the last customer's administrator; the portal's last answer."""
    assert begun.status_code == SEE_OTHER, begun.text
    admin = f"first.admin@{portal.scene.customers[-1]}.onmicrosoft.com"
    with httpx.Client(verify=portal.scene.services.trusted, trust_env=False, timeout=PATIENCE_SECONDS) as http:
        person = Person(http)
        await asyncio.to_thread(person.open, begun.headers["location"])
        await asyncio.to_thread(person.sign_in, admin, CUSTOMERS_PASSWORD)
        found: Page | Callback = await asyncio.to_thread(person.press, "accept")
        while True:
            assert isinstance(found, Callback), found.text
            answer = await awaited(visit, await visit.get("/connect/callback", **found.parameters))
            following = answer.headers.get("location", "")
            if not following.startswith("https:"):
                return answer
            found = await asyncio.to_thread(person.open, following)
            if isinstance(found, Page):
                found = await asyncio.to_thread(person.press, "accept")
