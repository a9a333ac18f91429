"""An operator sees what is open, late or in trouble, and ends it; an auditor sees the same and changes nothing.

The deployment here has many customers, so that lists have parts, and one grant that is really open.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from playwright.async_api import Browser, expect

from models.states import GrantState
from tests.chromium import CHROMIUM
from tests.ledger.many import fill
from tests.stage import Services
from tests.web.visits import ADMIN, AUDITOR, Portal, Visit, opened_portal
from tests.web.windows import signed_in

LIVE, RECEIPTS = 110, 900
SCREENS = ("/open", "/trouble", "/holds", "/emergency", "/evidence")
MARKUP = '<script>alert("mail & flow")</script>'

FORMS = {
    "/stop": {"reason": "a test", "confirmation": "everything"},
    "/holds/pause": {"tenant": "customer-1", "reason": "a test"},
    "/holds/resume": {"tenant": "customer-1"},
    "/holds/lift": {},
    "/emergency/drill": {"tenant": "customer-1", "number": "1"},
    "/emergency/rotate": {"tenant": "customer-1", "number": "1"},
    "/trouble/retry": {"grant": "nothing/to/retry"},
    "/trouble/replay": {"grant": "nothing/to/replay"},
    "/trouble/clear": {"kind": "persistence", "subject": "nothing", "reason": "a test"},
}


@pytest.fixture(scope="module")
async def busy(services: Services) -> AsyncIterator[Portal]:
    """A deployment with many grants, which no workflow carries on, and two customers of the sandbox."""
    async with opened_portal(services, customers=2, temporal_ui_url="https://temporal.example/ui") as portal:
        url = portal.scene.settings.database_url.get_secret_value()
        fill(url, now=datetime.now(UTC), tenants=60, technicians=20, receipts=RECEIPTS, live=LIVE)
        yield portal


def said(answer: httpx.Response) -> str:
    """What the page says, without its markup."""
    assert answer.status_code == httpx.codes.OK, answer.text
    text = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", text).split()))


async def walk(visit: Visit, path: str) -> list[str]:
    """Every part of a list, by its own links."""
    parts = []
    while path:
        answer = await visit.get(path)
        assert answer.status_code == httpx.codes.OK, answer.text
        parts.append(answer.text)
        further = re.search(r'rel="next" href="([^"]+)"', answer.text)
        path = html.unescape(further[1]) if further else ""
    return parts


@pytest.mark.parametrize("path", [*SCREENS, "/evidence.csv", "/stop"])
async def test_a_technician_is_shown_none_of_it(busy: Portal, path: str) -> None:
    visit = await busy.visit("alex")
    answer = await visit.get(path)
    assert answer.status_code == httpx.codes.FORBIDDEN
    first = await visit.get("/")
    assert not [screen for screen in SCREENS if f'href="{screen}"' in first.text]


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("name", ["alex", AUDITOR])
async def test_who_may_only_look_changes_nothing(busy: Portal, path: str, name: str) -> None:
    visit = await busy.visit(name)
    before = (
        busy.scene.sql("SELECT count(*) FROM holds"),
        busy.scene.sql("SELECT count(*) FROM grants WHERE settled_at IS NULL"),
    )
    assert (await visit.post(path, **FORMS[path])).status_code == httpx.codes.FORBIDDEN
    assert before == (
        busy.scene.sql("SELECT count(*) FROM holds"),
        busy.scene.sql("SELECT count(*) FROM grants WHERE settled_at IS NULL"),
    )


@pytest.mark.parametrize("path", SCREENS)
async def test_an_auditor_sees_the_page_without_its_buttons(busy: Portal, path: str) -> None:
    theirs = await (await busy.visit(AUDITOR)).get(path)
    admins = await (await busy.visit(ADMIN)).get(path)
    assert theirs.status_code == admins.status_code == httpx.codes.OK
    actions = re.findall(r'<form method="post" action="([^"]+)"', theirs.text)
    assert set(actions) == {"/sign-out"}
    assert "danger" not in theirs.text
    assert f'href="{path}" aria-current="page"' in admins.text


async def test_what_is_overdue_stands_on_top_and_nothing_is_left_out(busy: Portal) -> None:
    parts = await walk(await busy.visit(ADMIN), "/open")
    assert len(parts) > 2
    rows = re.findall(r'<tr( class="attention")?>\s*<td><a href="/open\?tenant=([^"]+)">', "".join(parts))
    assert len(rows) == LIVE
    overdue = [bool(attention) for attention, _ in rows]
    assert overdue == sorted(overdue, reverse=True)
    assert any(overdue)
    assert not all(overdue)
    assert f'aria-label="{LIVE} waiting">{LIVE}</span>' in parts[0], "the navigation counts them"


async def test_a_list_is_narrowed_by_the_server(busy: Portal) -> None:
    visit = await busy.visit(ADMIN)
    page = said(await visit.get("/open", tenant="customer-3", state="overdue"))
    assert "customer-3" in page
    assert "customer-4" not in page
    nothing = said(await visit.get("/open", tenant="customer-3", state="parked"))
    assert "Nothing of that is open." in nothing
    unknown = await visit.get("/open", tenant="customer-333")
    assert unknown.status_code == httpx.codes.NOT_FOUND
    assert "Did you mean" in unknown.text
    for path, query in (("/open", "state=shut"), ("/open", "after=nowhere"), ("/evidence", "since=monday")):
        assert (await visit.get(f"{path}?{query}")).status_code == httpx.codes.UNPROCESSABLE_ENTITY


async def test_late_receipts_come_first_and_every_one_is_found_and_exported(busy: Portal) -> None:
    visit = await busy.visit(AUDITOR)
    parts = await walk(visit, "/evidence?since=&technician=technician-2")
    late = [bool(one) for one in re.findall(r'<tr( class="attention")?>\s*<td><strong>', "".join(parts))]
    [(expected,)] = busy.scene.sql(
        "SELECT count(*) FROM receipts WHERE document->>'technician_id' = md5('technician2')::uuid::text"
    )
    assert len(late) == expected > 50
    assert late == sorted(late, reverse=True)

    for path in ("/evidence", "/open"):
        of_ticket = {"/evidence": "t-7", "/open": "T-30"}[path]
        rows = re.findall(r"<tr.*?T-[0-9]+", (await visit.get(path, ticket=of_ticket, since="")).text, re.DOTALL)
        assert {row.rpartition("T-")[2] for row in rows} == {of_ticket[2:]}, path

    answer = await visit.get("/evidence.csv", technician="technician-2", since="")
    assert answer.headers["content-disposition"].startswith("attachment")
    [heads, *rows] = csv.reader(io.StringIO(answer.text))
    assert len(rows) == expected
    assert {row[heads.index("technician")] for row in rows} == {"technician-2"}
    recent = await visit.get("/evidence.csv", only="1")
    assert (
        len(recent.text.splitlines()) - 1
        == busy.scene.sql(
            "SELECT count(*) FROM receipts WHERE late_or_unproven AND issued_at >= now() - interval '30 days'"
        )[0][0]
    )


async def test_a_stop_says_what_it_does_asks_once_more_and_does_it(busy: Portal) -> None:
    act, visit = busy.scene, await busy.sign_in(ADMIN, anew=True)
    grant = await act.ask("alex")
    await act.until(grant, GrantState.OPEN)
    where = {"tenant": act.customer}
    try:
        asked = said(await visit.get("/stop", **where))
        assert f"Ends 1 grant in 1 tenant. Nothing is granted for {act.customer} until the stop is lifted." in asked
        for wrong in ("", "yes", "everything"):
            refused = await visit.post("/stop", **where, reason=MARKUP, confirmation=wrong)
            assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert (await act.status(grant)).state is GrantState.OPEN

        done = await visit.post("/stop", **where, reason=MARKUP, confirmation=act.customer)
        assert done.headers["location"] == f"/open?tenant={act.customer}"
        stopped = await visit.get(done.headers["location"])
        assert MARKUP in said(stopped)
        assert MARKUP not in stopped.text
        await act.closes()
        receipt = await act.receipt(grant)
        assert receipt.proof.is_proven
        shown = await visit.get(f"/receipts/{grant}")
        assert f"Ended by {receipt.ending.by}: {MARKUP}" in said(shown)
        assert MARKUP not in shown.text
        assert MARKUP in said(await visit.get("/evidence", **where))
    finally:
        lifted = await visit.post("/holds/lift", **where)
    assert lifted.status_code == httpx.codes.SEE_OTHER
    assert "No pause and no stop" in said(await visit.get("/holds"))


@pytest.mark.parametrize("path", ["/stop", "/holds/lift", "/emergency/rotate"])
async def test_what_ends_things_for_many_demands_a_fresh_sign_in(busy: Portal, path: str) -> None:
    visit = await busy.sign_in(ADMIN)
    token = visit.token_in(await visit.get("/profile"))
    busy.scene.sql("UPDATE sessions SET signed_in_at = signed_in_at - interval '6 minutes'")
    answer = await visit.post(path, csrf=token, **FORMS[path])
    assert answer.status_code == httpx.codes.SEE_OTHER
    assert "anew=1" in answer.headers["location"]
    assert busy.scene.sql("SELECT count(*) FROM holds WHERE lifted_at IS NULL") == [(0,)]


async def test_a_pause_is_placed_shown_and_lifted(busy: Portal) -> None:
    visit = await busy.visit(ADMIN)
    await visit.post("/holds/pause", tenant="customer-5", reason="Microsoft is down")
    page = said(await visit.get("/holds"))
    assert "customer-5 Paused Microsoft is down" in page
    await visit.post("/holds/resume", tenant="customer-5")
    assert "No pause and no stop" in said(await visit.get("/holds"))


async def test_trouble_says_what_it_is_and_what_can_be_done(busy: Portal) -> None:
    act, visit = busy.scene, await busy.visit(ADMIN)
    fault = act.fault(method="POST", path="/users", status=403)
    grant = await act.ask("robin")
    await act.until(grant, GrantState.PARKED)
    answer = await visit.get("/trouble")
    page = said(answer)
    assert "tenant refusal" in page
    assert f'<input type="hidden" name="grant" value="{grant}">' in answer.text
    assert "https://temporal.example/ui/namespaces/default/workflows?query=WorkflowId" in answer.text
    act.release(fault)
    retried = await visit.post("/trouble/retry", grant=grant)
    assert retried.headers["location"] == f"/grants/{grant}"
    await act.until(grant, GrantState.OPEN)


async def test_an_alarm_is_over_when_an_operator_says_why(busy: Portal) -> None:
    visit = await busy.visit(ADMIN)
    busy.scene.sql(
        "INSERT INTO alarms (kind, subject, sentence, raised_at) VALUES ('persistence', 'g1', %s, now())", MARKUP
    )
    page = await visit.get("/trouble")
    assert MARKUP in said(page)
    assert MARKUP not in page.text
    form = {"kind": "persistence", "subject": "g1"}
    assert (await visit.post("/trouble/clear", **form, reason=" ")).status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert (await visit.post("/trouble/clear", **form, reason="the customer knows")).is_redirect
    assert MARKUP not in said(await visit.get("/trouble"))


async def test_every_tenant_is_listed_once_whatever_number_there_is(busy: Portal) -> None:
    visit = await busy.visit(ADMIN)
    listed = re.findall(r'<a href="/tenants/([^"]+)"><strong>', "".join(await walk(visit, "/tenants")))
    assert sorted(listed) == sorted(name for (name,) in busy.scene.sql("SELECT name FROM tenants WHERE active"))
    assert len(listed) > 60, "more than a part has"
    [found] = re.findall(
        r'<a href="/tenants/([^"]+)"><strong>', (await visit.get("/tenants", q=busy.scene.customer)).text
    )
    assert found == busy.scene.customer


async def test_a_page_asks_the_ledger_a_few_times_however_much_it_shows(busy: Portal) -> None:
    visit = await busy.visit(ADMIN)
    statements = busy.scene.app.ledger.statements
    for path in (*SCREENS, "/tenants"):
        assert (await visit.get(path)).status_code == httpx.codes.OK
    assert busy.scene.app.ledger.statements - statements < 25 * len(SCREENS), (
        "a page asks a few statements, not one a row"
    )


@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium to look with")
async def test_an_operator_stops_a_customer_and_lifts_the_stop_by_keyboard(busy: Portal, browser: Browser) -> None:
    act = busy.scene
    customer = act.customers[1]
    grant = await act.ask("kim", customer=customer)
    await act.until(grant, GrantState.OPEN)
    await busy.visit(ADMIN)
    act.sql("UPDATE sessions SET signed_in_at = now()")
    async with signed_in(browser, busy, ADMIN) as context:
        page = await context.new_page()
        await page.goto(busy.origin + "/trouble")
        await page.keyboard.press("g")
        await page.keyboard.press("o")
        await page.wait_for_url(busy.origin + "/open")
        await page.keyboard.press("/")
        await page.keyboard.type(customer)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("row")).to_have_count(2)
        await page.get_by_role("link", name=f"Stop {customer}").press("Enter")
        await expect(page.get_by_text("Ends 1 grant in 1 tenant.")).to_be_visible()
        await page.keyboard.type("a laptop was stolen")
        await page.keyboard.press("Tab")
        await page.keyboard.type(customer)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{busy.origin}/open?tenant={customer}")
        await expect(page.get_by_text("a laptop was stolen")).to_be_visible()
        await act.closes(act.account("kim", customer), customer)
        await page.get_by_role("link", name="Holds").first.press("Enter")
        await page.get_by_role("button", name="Lift the stop").press("Enter")
        await expect(page.get_by_text("No pause and no stop is in force.")).to_be_visible()


async def test_a_stop_whose_workflows_are_gone_says_who_closes_instead(busy: Portal) -> None:
    visit, whose = await busy.sign_in(ADMIN, anew=True), {"technician": "technician-17"}
    answer = said(await visit.post("/stop", **whose, reason="a test", confirmation="technician-17"))
    assert re.search(r"0 of \d+ workflows are closing", answer)
    assert "The reconciler closes the rest within" in answer
    await visit.post("/holds/lift", **whose)
