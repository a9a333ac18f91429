"""Only people of the MSP's own tenant sign in, in the browser that began; what they are decides what they see."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from entra_jit.identity.sessions import ABSOLUTE, IDLE
from entra_jit.operations.list_sign_ins import list_sign_ins
from tests.actors import TESTER
from tests.web.visits import ADMIN, AUDITOR, PEOPLE, STRANGER, Portal, Visit

SESSION = "__Host-entra-jit"


def is_sent_to_sign_in(answer: httpx.Response) -> bool:
    """The page is for people who are signed in."""
    return answer.status_code == httpx.codes.SEE_OTHER and answer.headers["location"].startswith("/sign-in?")


async def test_each_role_signs_in_and_sees_the_first_page(portal: Portal) -> None:
    for name, role in (("alex", "technician"), (ADMIN, "admin"), (AUDITOR, "auditor")):
        visit = await portal.visit(name)
        first = await visit.get("/")
        if name != "alex":
            assert first.headers["location"] == "/open", "who asks for nothing begins where they look after others"
            first = await visit.get("/open")
        assert first.status_code == httpx.codes.OK, first.text
        assert role in first.text


async def test_the_cookie_is_kept_from_scripts_other_sites_and_other_hosts(portal: Portal) -> None:
    visit = Visit(portal.origin)
    answer = await portal.come_back(visit, await portal.prove(visit, "alex"))
    [header] = [one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{SESSION}=")]
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(header.split("; "))
    assert "domain" not in header.lower()
    value = header.split("=")[1].split(";")[0]
    assert len(value) >= 43
    assert portal.scene.sql("SELECT count(*) FROM sessions s WHERE s::text LIKE %s", f"%{value}%") == [(0,)]


async def test_an_answer_counts_once_and_in_the_browser_that_began(portal: Portal) -> None:
    """Else a link with an attacker's code would sign a technician in as the attacker, who then watches."""
    mine, theirs = Visit(portal.origin), Visit(portal.origin)
    parameters = await portal.prove(mine, "alex")
    await theirs.get("/sign-in/begin")
    stranger = Visit(portal.origin)
    for visit in (theirs, stranger):
        assert (await portal.come_back(visit, parameters)).status_code == httpx.codes.BAD_REQUEST
    assert (await portal.come_back(mine, parameters)).status_code == httpx.codes.SEE_OTHER
    assert (await portal.come_back(mine, parameters)).status_code == httpx.codes.BAD_REQUEST
    assert is_sent_to_sign_in(await theirs.get("/"))


@pytest.mark.parametrize("change", [{"code": "forged"}, {"state": "forged"}, {"error": "access_denied"}, {"code": ""}])
async def test_a_forged_answer_signs_nobody_in(portal: Portal, change: dict[str, str]) -> None:
    visit = Visit(portal.origin)
    answer = await portal.come_back(visit, await portal.prove(visit, "alex") | change)
    assert answer.status_code == httpx.codes.BAD_REQUEST, answer.text
    assert is_sent_to_sign_in(await visit.get("/"))


async def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(portal: Portal) -> None:
    """Session fixation: the attacker knows the cookie from before, or has handed over a session of their own."""
    attacker = await portal.sign_in("robin")
    planted = attacker.cookies[SESSION]
    visit = Visit(portal.origin, {SESSION: planted})
    await portal.come_back(visit, await portal.prove(visit, "alex"))
    assert visit.cookies[SESSION] != planted
    assert ">alex<" in (await visit.get("/")).text
    assert is_sent_to_sign_in(await attacker.get("/"))


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example/", "/\\evil.example", "evil:1", "/\tevil", "/\r\nevil: 1"]
)
async def test_signing_in_leads_to_no_other_site(portal: Portal, to: str) -> None:
    visit = Visit(portal.origin)
    answer = await portal.come_back(visit, await portal.prove(visit, "alex", to=to))
    assert answer.headers["location"] == "/"
    assert "evil" not in (await visit.get("/sign-in", to=to)).text


async def test_the_page_that_was_asked_for_is_reached_after_signing_in(portal: Portal) -> None:
    visit = Visit(portal.origin)
    asked = await visit.get("/profile?from=mail")
    assert asked.headers["location"] == "/sign-in?to=%2Fprofile%3Ffrom%3Dmail"
    answer = await portal.come_back(visit, await portal.prove(visit, "alex", to="/profile?from=mail"))
    assert answer.headers["location"] == "/profile?from=mail"


async def test_a_session_ends_without_use_and_after_a_day_in_any_case(portal: Portal) -> None:
    for column, age in (("seen_at", IDLE), ("began_at", ABSOLUTE)):
        visit = await portal.sign_in("kim")
        late = age + timedelta(minutes=1)
        portal.scene.sql(
            f"UPDATE sessions SET {column} = {column} - %s WHERE person_id = %s",  # noqa: S608
            late,
            PEOPLE["kim"],
        )
        assert is_sent_to_sign_in(await visit.get("/"))


async def test_a_technician_who_was_removed_a_second_ago_is_out(portal: Portal) -> None:
    visit = await portal.sign_in("kim")
    await portal.configure(technicians=("alex", "robin"))
    try:
        assert is_sent_to_sign_in(await visit.get("/"))
        again = Visit(portal.origin)
        assert (await portal.come_back(again, await portal.prove(again, "kim"))).status_code == httpx.codes.FORBIDDEN
    finally:
        await portal.configure()
    assert is_sent_to_sign_in(await visit.get("/")), "the session does not come back with the technician"


async def test_a_person_signs_out_here_elsewhere_and_everywhere(portal: Portal) -> None:
    here, there = await portal.sign_in("robin"), await portal.sign_in("robin")
    await there.post("/sign-out")
    assert is_sent_to_sign_in(await there.get("/"))
    there = await portal.sign_in("robin")
    [(session,)] = portal.scene.sql("SELECT id::text FROM sessions ORDER BY began_at DESC LIMIT 1")
    await (await portal.visit("alex")).post("/profile/sessions/end", session=session)
    assert (await there.get("/")).status_code == httpx.codes.OK, "another person's session is not theirs to end"
    await here.post("/profile/sessions/end", session=session)
    assert is_sent_to_sign_in(await there.get("/"))
    there = await portal.sign_in("robin")
    await there.post("/profile/sessions/end-all")
    assert is_sent_to_sign_in(await there.get("/"))
    assert is_sent_to_sign_in(await here.get("/"))


async def test_a_stranger_waits_until_an_admin_accepts_them(portal: Portal) -> None:
    visit = Visit(portal.origin)
    for _ in range(2):
        answer = await portal.come_back(visit, await portal.prove(visit, STRANGER))
        assert answer.status_code == httpx.codes.FORBIDDEN
        assert "Ask an admin" in answer.text
    assert is_sent_to_sign_in(await visit.get("/"))
    found = {one.name: one for one in await list_sign_ins(TESTER, portal.scene.app)}
    waiting = found["sasha@northwindmsp.com"]
    form = {"person": waiting.person_id, "name": "sasha"}
    for name in ("alex", AUDITOR):
        assert (await (await portal.visit(name)).post("/sign-ins/accept", **form)).status_code == httpx.codes.FORBIDDEN
    admin = await portal.visit(ADMIN)
    assert "sasha@northwindmsp.com" in (await admin.get("/sign-ins")).text
    assert (await admin.post("/sign-ins/accept", **form | {"name": "alex"})).status_code == httpx.codes.CONFLICT
    assert (await admin.post("/sign-ins/accept", **form)).status_code == httpx.codes.SEE_OTHER
    try:
        assert ">Sasha Newcomer<" in (await (await portal.sign_in(STRANGER)).get("/")).text
        assert waiting.person_id not in {one.person_id for one in await list_sign_ins(TESTER, portal.scene.app)}
    finally:
        await portal.configure()


async def test_a_sign_in_anew_says_when_the_person_proved_who_they_are(portal: Portal) -> None:
    await portal.sign_in("kim", anew=True)
    [(age,)] = portal.scene.sql(
        "SELECT now() - signed_in_at FROM sessions WHERE person_id = %s ORDER BY began_at DESC LIMIT 1", PEOPLE["kim"]
    )
    assert abs(age) < timedelta(minutes=5)
