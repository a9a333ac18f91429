"""From *Add customer* to a technician's first grant, in three browsers: the admin's, the customer's, the technician's.

A real Chromium, driven by what people see. The customer's administrator has no account here and follows a link.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect

from models.messages import GrantState
from tests.chromium import CHROMIUM, PATIENCE_MILLISECONDS
from tests.stage import CUSTOMERS_PASSWORD, Services, customer_id
from tests.web.changing import changed, msp_with
from tests.web.visits import ADMIN, PEOPLE, Portal
from tests.web.windows import assert_readable, signed_in

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium to look with")

expect.set_options(timeout=PATIENCE_MILLISECONDS)

NARROW = ViewportSize(width=390, height=844)


@pytest.fixture(scope="module")
async def msp(services: Services) -> AsyncIterator[Portal]:
    """One customer that is configured, and one that has never heard of us."""
    async with msp_with(services, customers=2) as portal:
        yield portal


async def test_from_add_customer_to_the_first_grant(msp: Portal, browser: Browser) -> None:
    async with signed_in(browser, msp, ADMIN, viewport=NARROW) as admins:
        page = await admins.new_page()
        link = await make_link(msp, page)
        theirs = await browser.new_context(ignore_https_errors=True, viewport=NARROW)
        theirs.set_default_timeout(PATIENCE_MILLISECONDS)
        await consent(msp, theirs, link)
        await theirs.close()
        await set_up(msp, page)
        await map_level_2(msp, page)
    async with signed_in(browser, msp, "alex") as technicians:
        request_id = await request(msp, await technicians.new_page())
    await msp.scene.until(request_id, GrantState.OPEN)


async def test_a_form_that_is_sent_as_it_was_opened_changes_nothing(msp: Portal, browser: Browser) -> None:
    """Fields of several lines were shown as one: two tags became one with the next change of anything else."""
    dana, first = await msp.visit(ADMIN), msp.scene.customers[0]
    tenant, group, alex = f"/tenants/{first}", "/people/groups/senior", "/people/technicians/alex"
    terms = {"account_domain": f"{first}.onmicrosoft.com", "hours": "90m", "max_hours": "8h"}
    await changed(dana, f"{tenant}/settings", name=first, display_name="A  B", tags="retail, big\r\nBasel", **terms)
    attributes = "level: L2\r\nsite: Basel, CH"
    await changed(dana, "/people/technicians", id=PEOPLE["alex"], name="alex", attributes=attributes)
    rules = {"attribute": ["level", "site"], "test": ["one_of", "prefix"], "value": ["L2\r\nL3", "Basel"]}
    await changed(dana, group, member="alex", **rules)
    await changed(dana, f"{tenant}/access", group="senior", role=["Reports Reader", "User Administrator"])
    async with signed_in(browser, msp, ADMIN, viewport=NARROW, java_script_enabled=False) as context:
        page = await context.new_page()
        for path in (f"{tenant}/settings", f"{tenant}/access?group=senior", group, alex):
            await page.goto(msp.origin + path)
            await page.get_by_role("button", name="Show what would change").click()
            await expect(page.get_by_role("heading", name="The change", exact=True)).to_be_visible()
            assert "there is nothing to save" in await page.inner_text("main"), path
        await page.goto(f"{msp.origin}{tenant}/access?group=senior")
        await page.get_by_label("Search roles").fill("mail flow")
        await page.get_by_role("button", name="Find").click()
        await expect(role(page, "Exchange Administrator")).to_be_visible()
        assert await role(page, "Reports Reader").is_checked(), "what was ticked stays"


async def make_link(portal: Portal, page: Page) -> str:
    await page.goto(portal.origin + "/")
    await page.get_by_role("link", name="Tenants", exact=True).click()
    await page.get_by_role("link", name="Add customer").click()
    card = page.locator("section", has_text="Send a link")
    await card.get_by_label("A domain of the customer").fill(f"{portal.scene.customers[-1]}.onmicrosoft.com")
    await card.get_by_role("button", name="Make the link").click()
    await assert_readable(page)
    return (await page.locator("#link").inner_text()).strip()


async def consent(portal: Portal, context: BrowserContext, link: str) -> None:
    page = await context.new_page()
    await page.goto(link)
    await assert_readable(page)
    await page.get_by_role("button", name="Continue to Microsoft").click()
    await page.get_by_label("Username").fill(f"first.admin@{portal.scene.customers[-1]}.onmicrosoft.com")
    await page.get_by_role("button", name="Next").click()
    await page.get_by_label("Password").fill(CUSTOMERS_PASSWORD)
    await page.keyboard.press("Enter")
    done = page.get_by_role("heading", name="Connected")
    accept = page.get_by_role("button", name="Accept")
    for _ in range(3):  # a consent for each application, and one to the sign-in where it is asked for
        await expect(done.or_(accept)).to_be_visible()
        if await done.is_visible():
            break
        await accept.click()
    await expect(done).to_be_visible()
    await assert_readable(page)


async def set_up(portal: Portal, page: Page) -> None:
    await page.goto(portal.origin + "/tenants")
    await page.get_by_role("link", name="Set up").click()
    await page.wait_for_url(f"**/add-customer/{customer_id(portal.scene.customers[-1])}")
    await page.get_by_label("Application name").fill("Entra ID - retail customer")
    await expect(page.locator(f'input[value="{portal.scene.customers[-1]}.com"]')).to_be_disabled()
    await page.get_by_label("Search roles").fill("helpdesk")
    await expect(role(page, "Reports Reader")).to_be_hidden()
    await role(page, "Helpdesk Administrator").check()
    await assert_readable(page)
    await save(page)
    await expect(page.get_by_role("heading", name="Entra ID - retail customer")).to_be_visible()


async def map_level_2(portal: Portal, page: Page) -> None:
    await page.get_by_role("link", name="Add group").click()
    await page.get_by_label("Name: a to z").fill("level-2")
    await page.get_by_label("alex").check()
    await save(page)
    await expect(page.get_by_role("heading", name="What level-2 has in")).to_be_visible()  # where one goes on
    await role(page, "User Administrator").check()
    await save(page)
    await expect(page.get_by_role("row", name="level-2")).to_contain_text("User Administrator")


def role(page: Page, name: str) -> Locator:
    """Its choice: a label has the role's description too, and some names are parts of others."""
    return page.locator(f'input[name="role"][value="{name}"]')


async def save(page: Page) -> None:
    await page.get_by_role("button", name="Show what would change").click()
    await expect(page.get_by_role("heading", name="Who gains")).to_be_visible()
    await assert_readable(page)
    await page.get_by_label("Reason, kept with the change").fill("the first customer")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("as event")).to_be_visible()
    await assert_readable(page)


async def request(portal: Portal, page: Page) -> str:
    await page.goto(f"{portal.origin}/customers/{portal.scene.customers[-1]}/request")
    await page.get_by_label("Helpdesk Administrator").check()
    await page.get_by_label("User Administrator").check()
    await page.get_by_label("Reason").fill("Mail flow is down")
    await page.get_by_role("button", name="Request access").click()
    await page.wait_for_url("**/grants/**")
    return page.url.partition("/grants/")[2]
