"""A technician who uses no mouse, or a browser without scripts, gets in and out all the same.

A real Chromium; the session's cookie is given to it, since how people sign in is for other tests.
"""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, expect

from models.messages import GrantState
from tests.chromium import CHROMIUM, PATIENCE_MILLISECONDS
from tests.web.visits import Portal
from tests.web.windows import signed_in

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium to look with")

expect.set_options(timeout=PATIENCE_MILLISECONDS)


NAME_OF_FOCUSED = """() => {
  const e = document.activeElement;
  return e.ariaLabel || e.labels?.[0]?.innerText || e.innerText || e.value || "";
}"""


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this name, or begins with it, has the focus."""
    seen = []
    for _ in range(60):
        await page.keyboard.press("Tab")
        text: str = await page.evaluate(NAME_OF_FOCUSED)
        seen.append(text.strip().split("\n")[0])
        if seen[-1].startswith(name):
            return
    raise AssertionError(f"{name} cannot be reached by Tab: {seen}")


async def press(page: Page, name: str, key: str = "Enter") -> None:
    await tab_to(page, name)
    await page.keyboard.press(key)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
async def test_request_open_reveal_end(portal: Portal, browser: Browser, scripts: bool) -> None:
    roles = ["Helpdesk Administrator", "Reports Reader"]
    await portal.configure(role_mappings=[{"group": "all-technicians", "roles": roles}])
    portal.scene.sql("UPDATE sessions SET signed_in_at = now()")
    async with signed_in(browser, portal, "alex", java_script_enabled=scripts) as context:
        await walk(portal, await context.new_page(), scripts=scripts)


async def walk(portal: Portal, page: Page, *, scripts: bool) -> None:
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await page.goto(portal.origin)
    await find_customer(page, portal.scene.customers[2], scripts=scripts)
    await fill_in(page)
    await page.wait_for_url("**/grants/**")
    request_id = page.url.partition("/grants/")[2]
    await portal.scene.until(request_id, GrantState.OPEN)
    if not scripts:
        await page.reload()
    await expect(page.get_by_text("Account opened")).to_be_visible()  # with scripts it comes by itself

    await press(page, "Show once")
    await page.wait_for_url("**/credentials/**")
    await press(page, "Show once")
    secret = page.locator("#secret")
    await expect(page.get_by_text("It is not shown again")).to_be_visible()
    await expect(secret).to_be_hidden()
    await press(page, "Hidden. Press to show.")
    await expect(secret).to_be_visible()

    await end(page)
    await portal.scene.receipt(request_id)
    if not scripts:
        await page.reload()
    await expect(page.get_by_text("Receipt written")).to_be_visible()
    portal.scene.assert_closed(portal.scene.account(customer=portal.scene.customers[2]), portal.scene.customers[2])
    assert wrong == []


async def find_customer(page: Page, customer: str, *, scripts: bool) -> None:
    if scripts:
        await page.keyboard.press("/")
    else:
        await tab_to(page, "Search customers")
    await page.keyboard.type(customer)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/?q={customer}")
    await press(page, "Ask again" if await page.get_by_role("link", name="Ask again").count() else "Request")
    await page.wait_for_url(re.compile("/request"))


async def fill_in(page: Page) -> None:
    if not await page.get_by_label("Helpdesk Administrator").is_checked():
        await press(page, "Helpdesk Administrator", "Space")
    await tab_to(page, "Reason")
    await page.keyboard.press("Control+A")
    await page.keyboard.type("Mail flow is down")
    await page.keyboard.press("Enter")


async def end(page: Page) -> None:
    await press(page, "Back to the grant")
    await page.wait_for_url("**/grants/**")
    await press(page, "End now")
    await page.wait_for_url("**/endings/**")
    await press(page, "End now")
    await page.wait_for_url("**/grants/**")
