"""One portal for all tests of a process: served over HTTP, on the stage that the other tests act on."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from datetime import date

import pytest
from playwright.async_api import Browser, async_playwright
from pydantic import SecretStr

from entra_jit.settings import OwnApplication
from entra_jit.web.application import portal as web_application
from tests.chromium import ARGUMENTS, CHROMIUM, PATIENCE_MILLISECONDS
from tests.sandbox.person import SIGN_IN_APP, SIGN_IN_SECRET
from tests.stage import Services, scene
from tests.web.visits import HOME, Portal, serving


@pytest.fixture(scope="session")
async def portal(services: Services) -> AsyncIterator[Portal]:
    """The portal of a deployment with three customers, whose technicians are the sandbox's own people."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "portal_url": f"http://localhost:{port}",
        "home_tenant": HOME,
        "sign_in": OwnApplication(
            client_id=SIGN_IN_APP, secret=SecretStr(SIGN_IN_SECRET), secret_expires=date(2099, 1, 1)
        ),
    }
    async with scene(services, customers=3, skips_time=False, settings=settings) as made:
        portal = Portal(made, web_application(made.app), port)
        await portal.configure()
        async with serving(portal.web, port):
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
