"""The operator's own browser connects a tenant, and no other page or browser can interfere.

The answer comes back to an address of the operator's machine, which every page that the browser shows can call too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import yaml
from playwright.sync_api import sync_playwright

from entra_jit.accounts.directories import Purpose
from entra_jit.app import App
from entra_jit.cli.connecting import connect_in_browser, examine
from entra_jit.operations._connection_proof import NotConnectableError
from entra_jit.operations.apply_configuration import apply_configuration
from models.connections import TenantConnection
from models.messages import TenantId
from tests.actors import TESTER
from tests.chromium import ARGUMENTS, CHROMIUM, PATIENCE_MILLISECONDS
from tests.sandbox.person import Person, shown
from tests.sandbox.seeded import ELEVATE, FABRIKAM, SECRETS

DOMAIN = "contoso.onmicrosoft.com"
ADMINS = ("admin@contoso.onmicrosoft.com", "sandbox-only-Admin1")

Behave = Callable[[Person, str], None]


async def connect(msp: App, person: Person, behave: Behave) -> TenantConnection:
    """Connect while the person does with the address what ``behave`` says."""
    asked: list[asyncio.Task[None]] = []

    connecting = asyncio.current_task()
    assert connecting is not None

    def give_up(task: asyncio.Task[None]) -> None:
        if task.exception() is not None:
            connecting.cancel()

    def invite(address: str, _: object) -> None:
        asked.append(asyncio.create_task(asyncio.to_thread(behave, person, address)))
        asked[0].add_done_callback(give_up)

    try:
        return await connect_in_browser(TESTER, msp, DOMAIN, invite)
    finally:
        await asyncio.gather(*asked)


def visit(person: Person, address: str) -> httpx.Response:
    """Follow redirects from our address as far as a page."""
    return person.client.get(address, follow_redirects=True)


def press(person: Person, action: str) -> httpx.Response:
    """Press a button of Microsoft's page, and follow it to where it leads."""
    page = person.page
    assert page is not None
    assert page.action is not None
    form = page.fields | {"action": action}
    url = httpx.URL(page.url).join(page.action)
    answer = person.client.post(url, data=form, follow_redirects=True)
    person.show(answer)
    return answer


def agree(person: Person, address: str) -> None:
    person.show(visit(person, address))
    shown(person.sign_in(*ADMINS))
    press(person, "accept")
    press(person, "accept")
    last = press(person, "accept")
    assert last.url.path == "/connect/callback"
    assert "Contoso is connected, authorized by admin@contoso.onmicrosoft.com" in last.text
    assert last.headers["cache-control"] == "no-store"


async def test_it_is_led_from_page_to_page_and_told_the_end(msp: App, person: Person) -> None:
    found = await connect(msp, person, agree)
    assert (found.display_name, found.authorized_by) == ("Contoso", ADMINS[0])


async def test_what_other_pages_send_is_refused_and_ends_nothing(msp: App, person: Person) -> None:
    def interfere(person: Person, address: str) -> None:
        origin = address.partition("/connect/")[0]
        with httpx.Client(trust_env=False) as other:
            forged = other.get(f"{origin}/connect/callback", params={"admin_consent": "True", "state": "<b>x</b>"})
            assert (forged.status_code, "belongs to no connection" in forged.text) == (409, True)
            assert other.get(f"{origin}/connect/guessed").status_code == 404
            assert other.get(address, headers={"Host": "evil.example"}).status_code == 421
        agree(person, address)

    assert await connect(msp, person, interfere)


async def test_a_refusal_is_told_in_browser_and_terminal(msp: App, person: Person) -> None:
    def decline(person: Person, address: str) -> None:
        person.show(visit(person, address))
        person.sign_in(*ADMINS)
        last = press(person, "decline")
        assert last.status_code == 409
        assert "was not connected: Microsoft says" in last.text

    with pytest.raises(NotConnectableError, match="was not connected: Microsoft says"):
        await connect(msp, person, decline)


def walk(_: Person, address: str) -> None:
    """What an administrator sees and presses, in a real Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE_MILLISECONDS)
        context = browser.new_context(ignore_https_errors=True)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        page = context.new_page()
        page.goto(address)
        page.get_by_label("Username").fill(ADMINS[0])
        page.get_by_role("button", name="Next").click()
        page.get_by_label("Password").fill(ADMINS[1])
        page.get_by_role("button", name="Sign in").click()
        for application in ("entra-jit elevate", "entra-jit revoke", "entra-jit sign-in"):
            page.locator("form").get_by_text(application, exact=True).wait_for()
            page.get_by_role("button", name="Accept").click()
        page.get_by_text(f"Contoso is connected, authorized by {ADMINS[0]}").wait_for()
        browser.close()


@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium to look with")
async def test_two_customers_one_by_consent_in_chromium_and_one_by_its_own_registration(
    msp: App, person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected = await connect(msp, person, walk)
    monkeypatch.setenv("ELEVATE", SECRETS[ELEVATE])
    file = tmp_path / "msp.yaml"
    own = {"client_id": ELEVATE, "secret": {"env": "ELEVATE"}}
    tenants = [
        {"name": "contoso", "id": connected.tenant_id, "account_domain": DOMAIN},
        {"name": "fabrikam", "id": FABRIKAM, "account_domain": "fabrikam.onmicrosoft.com", "elevate": own},
    ]
    file.write_text(yaml.safe_dump({"tenants": tenants}))
    await apply_configuration(TESTER, msp, file, yes=True, prune=True)
    for tenant in tenants:
        for purpose in Purpose:
            found = await (await msp.directories.of(TenantId(str(tenant["id"])), purpose)).organization.get()
            assert found.id == tenant["id"]
    examination = await examine(TESTER, msp, connected)
    assert examination is not None
    assert examination.is_usable, [one for one in examination.findings if one.check.is_necessary]
