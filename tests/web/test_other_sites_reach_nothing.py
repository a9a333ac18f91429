"""A page of another site, a link with another host and an injected text do nothing in a signed-in technician's name."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.web.visits import Portal

PAGES = ("/", "/profile", "/sign-in", "/nothing-here")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
async def test_a_form_from_another_site_changes_nothing(portal: Portal, headers: dict[str, str]) -> None:
    visit = await portal.visit("alex")
    token = visit.token_in(await visit.get("/profile"))
    request = visit.http.build_request("POST", "/profile/sessions/end-all", data={"csrf": token})
    del request.headers["Sec-Fetch-Site"]
    request.headers.update(headers)
    assert (await visit.http.send(request)).status_code == httpx.codes.FORBIDDEN
    assert (await visit.get("/")).status_code == httpx.codes.OK


async def test_a_form_without_the_sessions_own_token_changes_nothing(portal: Portal) -> None:
    visit, another = await portal.visit("alex"), await portal.visit("robin")
    theirs = another.token_in(await another.get("/profile"))
    for token in ("", "0" * 64, theirs, "\N{SNOWMAN}"):
        answer = await visit.post("/profile/sessions/end-all", csrf=token)
        assert answer.status_code == httpx.codes.FORBIDDEN
    assert (await visit.get("/")).status_code == httpx.codes.OK


@pytest.mark.parametrize("host", ["evil.example", "localhost", "localhost:1", "localhost.evil.example:80"])
async def test_another_host_name_is_refused(portal: Portal, host: str) -> None:
    visit = await portal.visit("alex")
    answer = await visit.http.get("/", headers={"Host": host})
    assert answer.status_code == httpx.codes.MISDIRECTED_REQUEST
    assert "evil" not in answer.text


@pytest.mark.parametrize("path", [*PAGES, "/static/portal.css"])
async def test_every_answer_forbids_what_it_does_not_need(portal: Portal, path: str) -> None:
    visit = await portal.visit("alex")
    first, second = await visit.get(path), await visit.get(path)
    policy = first.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["referrer-policy"] == "same-origin"
    nonce = re.search(r"'nonce-([\w-]{20,})'", policy)
    assert nonce
    assert nonce[1] not in second.headers["content-security-policy"]
    if path in PAGES:
        assert first.headers["cache-control"] == "no-store"
        assert all(f'nonce="{nonce[1]}"' in script for script in re.findall(r"<script[^>]*>", first.text))
