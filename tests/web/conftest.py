"""One portal for all tests of a process: served over HTTP, on the stage that the other tests act on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.chromium import ARGUMENTS, CHROMIUM, PATIENCE_MILLISECONDS
from tests.stage import Services
from tests.web.visits import Portal, opened_portal


@pytest.fixture(scope="session")
async def portal(services: Services) -> AsyncIterator[Portal]:
    """The portal of a deployment with five customers, whose technicians are the sandbox's own people."""
    async with opened_portal(services, customers=5) as portal:
        yield portal


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests of a process."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE_MILLISECONDS
        )
        yield started
        await started.close()
