"""A grant's page in the Temporal UI, as a person with a mouse uses it. A real browser, the UI as Temporal ships it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from playwright.async_api import Browser, Locator, Page, Request, async_playwright, expect

from models.names import workflow_id
from tests.chromium import ARGUMENTS, CHROMIUM, PATIENCE_MILLISECONDS

expect.set_options(timeout=PATIENCE_MILLISECONDS)


def in_url(request_id: str) -> str:
    """The grant's workflow id as one part of a path."""
    return quote(workflow_id(request_id), safe="")


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A real browser that speaks only to this machine."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE_MILLISECONDS
        )
        yield browser
        await browser.close()


@dataclass(frozen=True)
class TemporalUI:
    """One person's window on the Temporal UI at ``address``, and what it has asked the server to change."""

    page: Page
    address: str
    changes: list[str]
    """The paths of its requests that were not reads, behind the namespace."""

    @classmethod
    async def open(cls, browser: Browser, address: str) -> TemporalUI:
        """A window of its own, with nothing in it yet."""
        page = await browser.new_page(viewport={"width": 1500, "height": 1000})
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        changes: list[str] = []

        def note(request: Request) -> None:
            if request.method != "GET" and "/query/" not in request.url:
                changes.append(request.url.split("?")[0].partition("/namespaces/default/")[2])

        page.on("request", note)
        return cls(page, address, changes)

    async def list(self, query: str = "") -> None:
        """Go to the list of workflows."""
        await self.page.goto(f"{self.address}/namespaces/default/workflows?query={query}")

    async def grant(self, request_id: str) -> None:
        """Go to the newest run of a grant."""
        await self.page.goto(f"{self.address}/namespaces/default/workflows/{in_url(request_id)}")
        await expect(self.more_actions).to_be_visible()

    @property
    def more_actions(self) -> Locator:
        """The menu beside the page's one large button."""
        return _shown(self.page.get_by_role("button", name="More Actions"))

    def action(self, name: str) -> Locator:
        """An entry of the menu of further actions, which must be open."""
        return _shown(self.page.get_by_test_id(f"{name}-button"))

    async def cancel(self) -> None:
        """Press *Request Cancellation* and confirm."""
        await self.page.get_by_role("button", name="Request Cancellation").click()
        await picture(self.page, "confirm")
        await self.page.get_by_role("button", name="Confirm").click()

    async def terminate(self, reason: str) -> None:
        """Choose *Terminate* and confirm."""
        dialog = await self._dialog("terminate")
        await dialog.get_by_placeholder("Enter a reason").fill(reason)
        await picture(self.page, "terminate")
        await self._submit(dialog, "Terminate")

    async def signal(self, name: str) -> None:
        """Choose *Send a Signal*, then the signal by its name, without input."""
        dialog = await self._dialog("signal")
        await dialog.locator("button:has(input)").click()
        await picture(self.page, "signals")
        await dialog.get_by_role("option", name=name).first.click()
        await self._submit(dialog, "Submit")

    async def reset(self) -> None:
        """Reset to the earliest event that is offered. On a grant that is over this is the page's large button."""
        large = _shown(self.page.get_by_role("button", name="Reset"))
        if await large.count():
            await large.click()
            dialog = self.page.get_by_role("dialog")
        else:
            dialog = await self._dialog("reset")
        await dialog.locator("button:has(input)").click()
        await dialog.get_by_role("option").last.click()
        await picture(self.page, "reset")
        await self._submit(dialog, "Confirm")

    async def _dialog(self, action: str) -> Locator:
        await self.more_actions.click()
        await self.action(action).click()
        return self.page.get_by_role("dialog")

    @staticmethod
    async def _submit(dialog: Locator, button: str) -> None:
        await dialog.get_by_role("button", name=button).click()
        await expect(dialog).to_be_hidden()


def _shown(found: Locator) -> Locator:
    """The one that can be seen: the page has a second, hidden head for when it is scrolled."""
    return found.locator("visible=true").first


async def picture(page: Page, name: str) -> None:
    """Keeps what the test saw, if ENTRA_JIT_PICTURES names a directory."""
    if directory := os.environ.get("ENTRA_JIT_PICTURES"):
        await page.screenshot(path=Path(directory) / f"ui-{name}.png")
