"""An admin connects a customer, says who gets what there, sees what that does, and saves it. All as plain forms.

Elsewhere a mapping is saved at once, and who gained or lost by it is found out later; of two who save, the last one
wins.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest

from entra_jit.web.application import portal as web_application
from models.messages import GrantState
from tests.sandbox.seeded import ELEVATE, SECRETS
from tests.stage import Services, customer_id, variant
from tests.web.changing import (
    CONFLICT,
    OK,
    REFUSED,
    SEE_OTHER,
    arrived_at,
    authorize,
    awaited,
    changed,
    hidden,
    msp_with,
    previewed,
    saved,
    text_of,
    version,
)
from tests.web.visits import ADMIN, AUDITOR, Portal, Visit

HELPDESK, READER, GLOBAL = "Helpdesk Administrator", "Reports Reader", "Global Administrator"


@pytest.fixture(scope="module")
async def msp(services: Services) -> AsyncIterator[Portal]:
    """Two customers that are configured, and one that is not connected."""
    async with msp_with(services, customers=3) as portal:
        yield portal


@pytest.fixture
async def dana(msp: Portal) -> Visit:
    """The admin, signed in just now; the first two customers are configured as at first."""
    await msp.configure(customers=msp.scene.customers[:-1])
    return await msp.sign_in(ADMIN)


async def test_a_customer_is_connected_set_up_granted_and_disconnected(msp: Portal, dana: Visit) -> None:
    customer, scene = msp.scene.customers[-1], msp.scene
    tenant_id, domain = customer_id(customer), f"{customer}.onmicrosoft.com"
    done = await authorize(msp, dana, await dana.post("/connect", domain=domain))
    assert done.headers["location"] == f"/add-customer/{tenant_id}", done.text
    assert "not set up yet" in text_of(await dana.get("/tenants"))

    form = await dana.get(f"/add-customer/{tenant_id}")
    assert f'name="account_domain" value="{domain}" required checked>' in form.text, "the best one is chosen"
    assert f'value="{customer}.com" required disabled>' in form.text
    assert "is federated: another identity provider sets its passwords" in text_of(form)
    assert f"The domain new.{customer}.com is not verified" in text_of(form)

    terms: dict[str, str | list[str]] = {
        "name": customer,
        "display_name": "Entra ID - retail customer",
        "account_domain": domain,
        "hours": "4h",
        "max_hours": "8h",
        "credential": "auto",
        "canary": "never",
        "tags": "retail, big\r\nBasel",
        "role": [HELPDESK],
    }
    preview = await previewed(dana, f"/add-customer/{tenant_id}", **terms)
    assert f"alex in {customer}: {HELPDESK} privileged" in text_of(preview)
    assert customer not in (await dana.get("/configuration.yaml")).text, "a preview saves nothing"
    notice = text_of(await arrived_at(dana, await saved(dana, preview), f"/tenants/{customer}"))
    [(event_id,)] = scene.sql("SELECT max(id) FROM events WHERE kind = 'configuration applied'")
    assert f"Saved as event {event_id}, by Dana Frost" in notice
    assert f"{customer}, added to the configuration." in notice
    assert f"{customer}, access of all-technicians: nothing → {HELPDESK}" in notice

    page = text_of(await dana.get(f"/tenants/{customer}"))
    assert f"Authorized by first.admin@{domain}" in page
    assert f"All technicians 3 {HELPDESK} privileged" in page
    assert "Added to the configuration." in page
    assert "“a test”" in page
    listed = text_of(await dana.get("/tenants", q="retail"))
    assert (customer in listed, scene.customers[0] in listed) == (True, False)

    grant = await scene.ask("alex", customer=customer)
    await scene.until(grant, GrantState.OPEN)
    removal = await previewed(dana, f"/tenants/{customer}/removal")
    assert "Ends 1 live grant" in text_of(removal)
    await arrived_at(dana, await saved(dana, removal), f"/tenants/{tenant_id}/disconnect")
    await scene.receipt(grant)
    scene.assert_closed(scene.account(customer=customer), customer)

    sure = await dana.get(f"/tenants/{customer}/disconnect")
    assert "Second of two steps" in text_of(sure)
    wrong = await dana.post(
        f"/tenants/{customer}/disconnect", **hidden(sure), reason="contract ended", confirmation="yes"
    )
    assert wrong.status_code == REFUSED
    outcome = await dana.post(
        f"/tenants/{customer}/disconnect", **hidden(sure), reason="contract ended", confirmation=customer
    )
    assert "Nothing of ours acts there any more." in text_of(outcome), outcome.text
    assert "Disconnected" in text_of(await dana.get(f"/tenants/{customer}"))


async def test_the_customers_own_administrator_connects_by_a_link_once(msp: Portal, dana: Visit) -> None:
    customer = msp.scene.customers[-1]
    made = await dana.post("/add-customer/invitation", domain=f"{customer}.onmicrosoft.com")
    link = re.search(r'id="link">([^<]+)<', made.text)
    assert link, made.text
    token = link[1].partition("invitation=")[2]
    assert msp.scene.sql("SELECT count(*) FROM errands e WHERE e::text LIKE %s", f"%{token}%") == [(0,)]

    guest = Visit(msp.origin)
    assert "Your service provider asks" in text_of(await guest.http.get(link[1]))
    done = await authorize(msp, guest, await guest.post("/connect/invited", csrf="", invitation=token))
    assert "is connected" in text_of(done), done.text
    again = await guest.post("/connect/invited", csrf="", invitation=token)
    assert again.status_code == CONFLICT
    assert "used already" in text_of(again)
    assert (await guest.get("/tenants")).headers["location"].startswith("/sign-in?"), "a guest is no one here"


async def test_an_answer_from_microsoft_that_this_browser_does_not_wait_for_is_refused(
    msp: Portal, dana: Visit
) -> None:
    begun = await dana.post("/connect", domain=f"{msp.scene.customers[-1]}.onmicrosoft.com")
    state = httpx.URL(begun.headers["location"]).params["state"]
    answer = {"admin_consent": "True", "tenant": customer_id(msp.scene.customers[-1]), "state": state}
    for visit in (Visit(msp.origin), await msp.sign_in(ADMIN)):
        refused = await visit.get("/connect/callback", **answer)
        assert refused.status_code == CONFLICT
        assert "No connection was begun in this browser" in text_of(refused)
    another = await msp.sign_in(AUDITOR)
    another.cookies |= {name: value for name, value in dana.cookies.items() if name.endswith("-connect")}
    assert (await another.get("/connect/callback", **answer)).status_code == httpx.codes.FORBIDDEN


async def test_levels_are_mapped_and_who_gains_and_loses_is_shown_first(msp: Portal, dana: Visit) -> None:
    first = msp.scene.customers[0]
    await changed(
        dana,
        "/people/technicians",
        id="0a0a0a0a-1111-4111-8111-0000000000a2",
        name="robin",
        display_name="Robin",
        attributes="technician_level: L2\r\nsite: Basel, CH",
    )
    rules = {"attribute": ["technician_level", "site", ""], "test": ["one_of", "prefix", "one_of"]}
    where = await changed(
        dana, "/people/groups", name="level-2", member=["kim"], value=["L2\r\nL3", "Basel", ""], **rules
    )
    page = text_of(await dana.get(where))
    assert "kim By its list." in page
    assert "Robin By technician_level = L2 or L3 and site beginning with Basel." in page

    preview = await previewed(dana, f"/tenants/{first}/access", group="level-2", role=[GLOBAL, READER])
    text = text_of(preview)
    assert f"level-2 has in {first}: {GLOBAL}, {READER}." in text
    assert f"robin in {first}: {GLOBAL} privileged , {READER}" in text
    assert "No technician loses anything." in text
    await saved(dana, preview)
    shown = text_of(await dana.get(f"/tenants/{first}"))
    why = "technician_level = L2 or L3 and site beginning with Basel"
    assert f"level-2 {why} 2 {GLOBAL} privileged , {READER}" in shown
    assert f"{first} {GLOBAL} privileged" in text_of(await dana.get("/people/technicians/robin"))

    less = await previewed(dana, f"/tenants/{first}/access", group="level-2", role=[READER])
    assert f"Who loses kim in {first}: {GLOBAL}" in text_of(less)
    form = {"version": "0", "group": "level-2", "role": [READER], "find": "mail flow", "finding": "1"}
    found = await dana.post(f"/tenants/{first}/access", **form)
    offered = re.findall(r'name="role" value="([^"]+)"( checked)?', found.text)
    assert offered == [(READER, " checked"), ("Exchange Administrator", "")], "what is ticked stays"
    gone = await previewed(dana, "/people/groups/level-2/removal")
    assert "Removed role mappings" in text_of(gone)
    same = await previewed(dana, f"/tenants/{first}/access", group="level-2", role=[GLOBAL, READER])
    assert "there is nothing to save" in text_of(same)
    wrong = await previewed(dana, f"/tenants/{first}/access", group="level-9", role=[READER])
    assert wrong.status_code == REFUSED
    assert "'level-9' is not a group in this file" in text_of(wrong)


async def test_of_two_admins_the_second_is_told_and_loses_nothing(msp: Portal, dana: Visit) -> None:
    first, second = msp.scene.customers[:2]
    opened = await version(dana)
    mine: dict[str, str | list[str]] = {"group": "senior", "role": [READER], "version": opened}
    before = await previewed(dana, f"/tenants/{second}/access", **mine)
    await changed(dana, f"/tenants/{first}/access", group="senior", role=[READER])

    for late in (await previewed(dana, f"/tenants/{second}/access", **mine), await saved(dana, before)):
        assert late.status_code == CONFLICT
        assert "changed since you opened the page" in text_of(late)
        assert f"senior has in {second}: {READER}." in text_of(late), "what was wanted is not lost"
    again = re.search(r'class="button primary" href="([^"]+)"', late.text)
    assert again
    done = await saved(dana, await dana.http.get(unescape(again[1])))
    assert done.status_code == SEE_OTHER, done.text
    for customer in (first, second):
        assert f"senior 1 {READER}" in text_of(await dana.get(f"/tenants/{customer}"))


async def test_a_secret_goes_in_and_never_out(msp: Portal, dana: Visit) -> None:
    first = msp.scene.customers[0]
    preview = await previewed(dana, f"/tenants/{first}/registration", client_id=ELEVATE, proof="secret")
    field = f"secret_{ELEVATE}"
    assert f'name="{field}"' in preview.text
    missing = await saved(dana, preview)
    assert missing.status_code == REFUSED
    wrong = await saved(dana, preview, **{field: "unmistakably-wrong"})
    assert wrong.status_code == REFUSED, wrong.text
    assert "unmistakably" not in wrong.text
    done = await saved(dana, preview, **{field: SECRETS[ELEVATE]})
    assert done.status_code == SEE_OTHER, done.text
    for path in ("/configuration", f"/tenants/{first}", f"/tenants/{first}/registration"):
        assert SECRETS[ELEVATE] not in (await dana.get(path)).text
    assert "stored: 'yes'" in (await dana.get("/configuration.yaml")).text
    for table in ("errands", "configurations", "events", "texts", "tenant_credentials"):
        counted = msp.scene.sql(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", f"%{SECRETS[ELEVATE]}%")  # noqa: S608
        assert counted == [(0,)], table


async def test_who_was_accepted_stays_when_another_change_is_saved(msp: Portal, dana: Visit) -> None:
    """The next change was made to a configuration without them, and took them away again."""
    stranger = Visit(msp.origin)
    await msp.come_back(stranger, await msp.prove(stranger, "sasha"))
    waiting = await dana.get("/sign-ins")
    person = re.search(r'name="person" value="([^"]+)"', waiting.text)
    assert person, waiting.text
    assert "1 person waits to be accepted" in text_of(await dana.get("/people"))
    await dana.post("/sign-ins/accept", person=person[1], name="sasha")
    await changed(dana, f"/tenants/{msp.scene.customers[0]}/access", group="senior", role=[READER])
    assert "sasha" in text_of(await dana.get("/people"))
    assert "name: sasha" in (await dana.get("/configuration.yaml")).text


async def test_the_doctor_looks_again_runs_a_canary_and_says_what_it_would_fix(msp: Portal, dana: Visit) -> None:
    first, scene = msp.scene.customers[0], msp.scene
    looked = await dana.post(f"/tenants/{first}/doctor")
    assert looked.headers["location"] == f"/tenants/{first}", looked.text
    page = await dana.get(f"/tenants/{first}")
    assert "D101" in text_of(page)
    assert f"<code>starter.py tenant canary {first}</code> runs one." in page.text
    assert (await dana.get(f"/tenants/{first}/repairs")).status_code == OK

    run = await dana.post(f"/tenants/{first}/canary")
    request_id = run.headers["location"].removeprefix("/grants/")
    await scene.until(request_id, GrantState.OPEN)
    await dana.post(f"/endings/{request_id}")
    assert (await scene.receipt(request_id)).proof.is_proven
    assert "Canary run" in text_of(await dana.get(f"/tenants/{first}"))


async def test_what_takes_longer_than_a_page_is_waited_for(msp: Portal, dana: Visit) -> None:
    """A page that gave up showed an error for what a worker then did, and what it had done was never said."""
    customer, first = msp.scene.customers[-1], msp.scene.customers[0]
    async with msp.beside(worker_patience_seconds=0.001) as hasty:
        admin = await hasty.sign_in(ADMIN)
        looked = await admin.post(f"/tenants/{first}/doctor")
        assert looked.headers["location"].startswith("/waiting/examine_tenant/")
        waiting = await admin.http.get(looked.headers["location"])
        if waiting.status_code == OK:
            assert int(waiting.headers["refresh"]) > 0, "it looks again without scripts"
            assert "It takes a little longer" in text_of(waiting)
        done = await awaited(admin, waiting)
        assert done.headers["location"] == f"/tenants/{first}"

        preview = await previewed(dana, f"/tenants/{first}/access", group="senior", role=[READER])
        told = await arrived_at(admin, await awaited(admin, await saved(admin, preview)), f"/tenants/{first}")
        assert "Saved as event" in text_of(told)

        refused = await awaited(admin, await admin.post("/tenants/no-such-tenant/doctor"))
        assert refused.status_code == httpx.codes.NOT_FOUND

        link = f"/waiting/examine_tenant/{'0' * 32}"
        assert "none will any more" in text_of(await admin.get(link, since="1"))
        made = await dana.post("/add-customer/invitation", domain=f"{customer}.onmicrosoft.com")
        token = re.search(r"invitation=([^<]+)<", made.text)
        assert token, made.text
        guest = Visit(hasty.origin)
        begun = await guest.post("/connect/invited", csrf="", invitation=token[1])
        assert begun.status_code == httpx.codes.SERVICE_UNAVAILABLE, "its answer alone has the browser's secret"


async def test_all_terms_of_a_tenant_and_the_defaults_are_changed_on_pages(msp: Portal, dana: Visit) -> None:
    first, second = msp.scene.customers[:2]
    terms = {"account_domain": f"{first}.onmicrosoft.com", "hours": "4h", "max_hours": "12h", "account_prefix": "it-"}
    preview = await previewed(dana, f"/tenants/{first}/settings", name=first, **terms)
    assert f"{first}, account_prefix msp- → it-" in text_of(preview)
    notice = await arrived_at(dana, await saved(dana, preview))
    assert f"{first}, account_prefix: msp- → it-" in text_of(notice)

    two = {"emergency_accounts": "2", "emergency_rotation_days": "30"}
    for emergency, said in (
        (two, f"{first}, emergency_accounts 0 → 2 {first}, emergency_rotation_days 90 → 30"),
        ({"emergency_accounts": "1"}, f"{first}, emergency_accounts 2 → 1 No account is deleted"),
    ):
        preview = await previewed(dana, f"/tenants/{first}/settings", name=first, **terms, **emergency)
        assert said in text_of(preview)
        await saved(dana, preview)
    assert "1, new passkey after 30 days" in text_of(await dana.get(f"/tenants/{first}"))
    unread = await dana.post("/configuration/defaults", version="1", hours="4h", emergency_rotation_days="0")
    assert unread.status_code == REFUSED

    limits = {"account_prefix": "adm-", "hours": "2h", "max_hours": "8h", "emergency_rotation_days": "60"}
    preview = await previewed(dana, "/configuration/defaults", follow="1", **limits)
    said = text_of(preview)
    assert f"{second}, account_prefix msp- → adm- {second}, hours 4 h → 2 h" in said, said
    assert f"{first}, hours 4 h → 2 h" in said
    assert f"{second}, emergency_rotation_days 90 → 60" in said
    assert f"{first}, account_prefix" not in said, "it has its own"
    notice = text_of(await arrived_at(dana, await saved(dana, preview), "/configuration"))
    assert "defaults, hours: 4 h → 2 h" in notice
    assert notice.count("defaults, hours: 4 h → 2 h") == 2, "the page has the history of all changes, too"


async def test_a_configuration_that_is_a_file_is_shown_and_not_changed(msp: Portal, dana: Visit) -> None:
    first = msp.scene.customers[0]
    settings = msp.scene.app.settings.model_copy(update={"configuration_is_a_file": True})
    kept = web_application(variant(msp.scene.app, settings=settings))
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in dana.cookies.items())}
    preview = await previewed(dana, f"/tenants/{first}/access", group="senior", role=[READER])
    transport = httpx.ASGITransport(kept)
    async with httpx.AsyncClient(transport=transport, base_url=msp.origin, headers=cookies) as http:
        for path in ("/tenants", f"/tenants/{first}", "/people", "/people/groups/senior", "/configuration"):
            page = await http.get(path)
            assert page.status_code == OK, path
            assert "The configuration is kept as a file." in text_of(page)
            assert "Show what would change" not in page.text
            assert f"/tenants/{first}/settings" not in page.text
        refused = await http.get(str(preview.url).removeprefix(msp.origin))
        assert refused.status_code == CONFLICT
        assert "Change the file, and apply it." in text_of(refused)


async def test_what_connects_changes_or_ends_asks_again_who_it_is_after_five_minutes(msp: Portal, dana: Visit) -> None:
    first = msp.scene.customers[0]
    preview = await previewed(dana, f"/tenants/{first}/access", group="senior", role=[GLOBAL])
    token = dana.token_in(preview)
    msp.scene.sql("UPDATE sessions SET signed_in_at = now() - interval '6 minutes'")
    try:
        answers = [
            await dana.http.get(str(preview.url)),
            await dana.post("/configuration/save", csrf=token, **hidden(preview), reason="a test"),
            await dana.post("/connect", csrf=token, domain="contoso.onmicrosoft.com"),
            await dana.post("/add-customer/invitation", csrf=token, domain="contoso.onmicrosoft.com"),
            await dana.get(f"/tenants/{first}/repairs"),
            await dana.get(f"/tenants/{first}/disconnect"),
            await dana.post(f"/tenants/{first}/disconnect", csrf=token, reason="x", confirmation=first, agreed="{}"),
        ]
    finally:
        msp.scene.sql("UPDATE sessions SET signed_in_at = began_at")
    for answer in answers:
        assert answer.headers["location"].startswith("/sign-in/begin?to="), answer.url
