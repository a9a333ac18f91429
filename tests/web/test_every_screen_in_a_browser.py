"""Every screen, as each role, light and dark, wide and narrow: readable, reachable, and silent in the console.

A real Chromium. What axe calls serious or critical keeps a person with a screen reader, or with poor sight, from
closing an account.
"""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.chromium import CHROMIUM
from tests.web.visits import ADMIN, AUDITOR, Portal
from tests.web.windows import assert_readable, signed_in

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium to look with")

WIDTHS = {"wide": 1440, "narrow": 390}
LOOKS = [*product(("alex", ADMIN, AUDITOR), ("light", "dark"), WIDTHS)]
SAMPLE = {("alex", "light", "narrow"), (ADMIN, "dark", "wide")}
PICTURES = os.environ.get("PORTAL_PICTURES")
"""A folder for a picture of each screen, for people to look at."""


async def look(page: Page, portal: Portal, path: str, picture: str) -> None:
    """Open a screen and hold it to what all are held to."""
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if portal.origin not in request.url else None)
    answer = await page.goto(portal.origin + path)
    assert answer is not None
    assert answer.ok, f"{path}: {answer.status}"
    assert page.url == portal.origin + path
    if PICTURES:
        name = path.strip("/").replace("/", "-") or "customers"
        await page.screenshot(path=Path(PICTURES) / f"{name}-{picture}.png", full_page=True)
    await assert_readable(page)
    assert complaints == [], path


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [pytest.param(*one, marks=() if one in SAMPLE else pytest.mark.long, id="-".join(one)) for one in LOOKS],
)
async def test_every_screen_is_readable_and_reachable(
    browser: Browser, portal: Portal, name: str, scheme: str, width: str
) -> None:
    window = {"width": WIDTHS[width], "height": 900}
    async with signed_in(browser, portal, name, color_scheme=scheme, viewport=window) as context:
        for path in await portal.pages_of(name):
            page = await context.new_page()
            await look(page, portal, path, f"{name}-{scheme}-{width}")
            await page.close()


async def test_a_person_signs_in_without_scripts(browser: Browser, portal: Portal) -> None:
    """The pages are right without JavaScript; it makes them live."""
    context = await browser.new_context(java_script_enabled=False, ignore_https_errors=True)
    page = await context.new_page()
    await page.goto(portal.origin + "/profile")
    await page.get_by_role("link", name="Sign in with Microsoft").click()
    for field, value in (("username", "robin@northwindmsp.com"), ("password", "sandbox-only-Robin1")):
        await page.locator(f"input[name={field}]").fill(value)
        await page.locator("button[type=submit], button[value]").first.click()
    await page.wait_for_url(portal.origin + "/profile")
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.wait_for_url(portal.origin + "/sign-in")
    await context.close()
