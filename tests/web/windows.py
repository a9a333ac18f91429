"""A person's browser window on the portal: a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext

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
