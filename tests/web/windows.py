"""A person's browser window on the portal: a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page

from tests.chromium import PATIENCE_MILLISECONDS
from tests.web.visits import Portal


@asynccontextmanager
async def signed_in(browser: Browser, portal: Portal, name: str, **options: object) -> AsyncIterator[BrowserContext]:
    """A browser window of its own, signed in as ``name``."""
    context = await browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    visit = await portal.visit(name)
    await context.add_cookies(
        [
            # By https, as Chromium's own door for cookies demands for a secure one; it sends it to localhost without.
            {"name": cookie, "value": value, "url": portal.origin.replace("http:", "https:"), "secure": True}
            for cookie, value in visit.cookies.items()
        ]
    )
    yield context
    await context.close()


async def assert_readable(page: Page) -> None:
    """No wider than the window, and nothing that axe calls serious or critical."""
    width = await page.evaluate("[document.scrollingElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1], f"{page.url} is {width[0]} wide in a window of {width[1]}"
    found = await Axe().run(page, options={"resultTypes": ["violations"]})
    serious = [one for one in found.response["violations"] if one["impact"] in {"serious", "critical"}]
    assert not serious, [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious]
