"""A grant can be read and stopped by somebody who has only the Temporal UI, at night, and never saw our code.

The command line may be out of reach when it matters. If the page shows only ids and type names, the administrator
presses the wrong button: Terminate, which leaves the account open.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from local_stack import LocalStack
from models.messages import GrantState
from tests.command_line import CommandLine

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
FIRST_START_MILLISECONDS = 170_000
"""The first start of a Chromium after its installation can take more than a minute."""

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM} to open the Temporal UI with")


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """A whole stack with the example configuration."""
    async with LocalStack(tmp_path_factory.mktemp("ui") / "state") as stack:
        applied = await CommandLine(stack.state_dir)("apply", "examples/msp.yaml")
        assert applied.code == 0, applied.err
        yield stack


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A real browser that speaks to nobody but this machine."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, timeout=FIRST_START_MILLISECONDS
        )
        yield browser
        await browser.close()


async def picture(page: Page, name: str) -> None:
    """For whoever wants to see what the test saw: ENTRA_JIT_PICTURES names a directory."""
    if directory := os.environ.get("ENTRA_JIT_PICTURES"):
        await page.screenshot(path=Path(directory) / f"ui-{name}.png")


async def test_an_open_grant_can_be_read_and_is_closed_by_request_cancellation(
    stack: LocalStack, browser: Browser
) -> None:
    run = CommandLine(stack.state_dir)
    reason = "Mailbox **migration**\n### Alarm: [click](http://evil.example) <b>here</b>"
    grant = await run.request("contoso", "alex", "--ticket", "T-1042", "--reason", reason)
    await run.until(grant, lambda status: status.state is GrantState.OPEN)
    page = await browser.new_page(viewport={"width": 1500, "height": 1000})
    ui = f"{stack.addresses.temporal_ui}/namespaces/{stack.addresses.namespace}/workflows"

    await page.goto(f"{ui}?query={quote('GrantState=' + repr('open'))}")
    await expect(page.get_by_role("link", name=f"grant/{grant}")).to_be_visible(timeout=30_000)
    await page.get_by_role("link", name=f"grant/{grant}").click()

    for summary in (
        "Is contoso.onmicrosoft.com verified and managed?",
        "Make sure of msp-alex@contoso.onmicrosoft.com, closed",
        "Exchange Administrator, Helpdesk Administrator, User Administrator",
        "The grant expires at",
    ):
        await expect(page.get_by_text(summary).first).to_be_visible(timeout=20_000)
    await picture(page, "timeline")

    await page.get_by_role("tab", name="Search Attributes").click()
    for attribute in ('"Tenant": "contoso"', '"Technician": "alex"', '"GrantState": "open"', '"Ticket": "T-1042"'):
        await expect(page.locator("main")).to_contain_text(attribute)
    await expect(page.locator("main")).to_contain_text('"ExpiresAt": "20')

    await page.get_by_role("tab", name="User Metadata").click()
    await expect(page.get_by_text("Current Details")).to_be_visible()
    await page.wait_for_timeout(1000)
    shown = " ".join(" ".join([await frame.locator("body").inner_text() for frame in page.frames]).split())
    await picture(page, "details")
    for sentence in (
        "alex in contoso: Mailbox **migration** ### Alarm: [click](http://evil.example) <b>here</b>",
        "tenant, from asking to receipt.",
        "Open until 20",
        "Technician: alex",
        "Tenant: contoso",
        "Account: msp-alex@contoso.onmicrosoft.com",
        "Roles: Exchange Administrator, Helpdesk Administrator, User Administrator",
        "Reason: Mailbox **migration** ### Alarm",
        "Ticket: T-1042",
        "Request Cancellation or the signal end closes the account within seconds.",
        "Never Terminate or Reset a grant.",
    ):
        assert sentence in shown, f"{sentence!r} is not in {shown!r}"
    assert "Open: Open" not in shown

    await page.get_by_role("button", name="Request Cancellation").click()
    pressed = time.monotonic()
    await picture(page, "confirm")
    await page.get_by_role("button", name="Confirm").click()
    status = await run.until(grant, lambda status: status.state.is_final)
    assert time.monotonic() - pressed < 10
    assert status.state is GrantState.CANCELLED
    _assert_closed(stack, "msp-alex@contoso.onmicrosoft.com")

    await page.get_by_role("tab", name="Timeline").click()
    await expect(page.get_by_text("Write the receipt, release the lock").first).to_be_visible(timeout=20_000)
    await picture(page, "cancelled")
    await expect(page.locator("main")).to_contain_text("Canceled")
    await page.close()


def _assert_closed(stack: LocalStack, account: str) -> None:
    trusted = ssl.create_default_context(cafile=stack.addresses.ca_file)
    with httpx.Client(verify=trusted, trust_env=False) as http:
        users = http.get(f"{stack.addresses.sandbox_control}/tenants/contoso/users").json()
    user = next(user for user in users if user["user_principal_name"] == account)
    assert not user["enabled"]
    assert not user["roles"]
