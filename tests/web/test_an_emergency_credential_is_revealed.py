"""The key of a customer's Global Administrator goes through the portal, and the portal must not be able to keep it.

It is sealed to a key of the reader's own machine, by a worker that believes the person's sign-in for just this, and not
the portal.
"""

from __future__ import annotations

import sys
from asyncio import create_subprocess_exec, subprocess
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from playwright.async_api import Browser
from pydantic import SecretStr

from entra_jit import emergency_kit
from entra_jit.crypto.keyring import Purpose
from entra_jit.crypto.narrow_keyring import KeyNotHeldError, PortalKeyring
from entra_jit.crypto.sealing import SUITE
from entra_jit.emergency_kit import OneTimeKey, Passkey, code_of, from_paste
from entra_jit.identity.authorize import NotAllowedError
from entra_jit.identity.open_id import InvalidIdTokenError, SignedInPerson
from entra_jit.identity.person_sign_in import RoleSource, SignInFailedError
from entra_jit.operations.reveal_emergency_account import reveal_emergency_account
from models.actor import Actor, ActorKind, Role, Via
from models.errors import RefusedError
from models.messages import ObjectId, RevealRequest, SignInOutcome, TenantId
from tests.chromium import CHROMIUM
from tests.emergency.accounts import account_name, rotate, user
from tests.emergency.revealing import request_of, works
from tests.emergency.test_a_browser_uses_the_sealed_key import in_chromium
from tests.emergency.written import history_of, ledger_of
from tests.patience import eventually
from tests.stage import stage_clock, variant
from tests.web.test_every_screen_in_a_browser import PICTURES, WIDTHS, look
from tests.web.visits import ADMIN, AUDITOR, HOME, Portal
from tests.web.windows import signed_in

DANA = Actor(
    kind=ActorKind.PERSON,
    id="0a0a0a0a-1111-4111-8111-0000000000a4",
    name="Dana Frost",
    via=Via.PORTAL,
    roles=frozenset({Role.ADMIN, Role.EMERGENCY}),
)


@pytest.fixture(scope="module")
async def address(portal: Portal) -> AsyncIterator[str]:
    """Of the page that reveals the first customer's account."""
    await portal.configure(emergency_accounts=1)
    await rotate(portal.scene)
    yield f"/emergency/{portal.scene.customer}/1"
    await portal.configure()


async def token_for(portal: Portal, key: OneTimeKey, name: str = ADMIN) -> tuple[RevealRequest, SecretStr]:
    """A request, and the id token of a sign-in of ``name`` for it."""
    request = request_of(portal.scene, key)
    own = portal.web.state.app.own_applications["sign_in"].connection(TenantId(HOME), "home")
    signs_in = portal.web.state.app.graph.person_sign_in(own)
    where, begun = await signs_in.begin(f"{portal.origin}/auth/callback", "state", anew=True, about=request.about)
    return request, await signs_in.redeem(begun, await portal.prove_at(where, name))


def opened(key: OneTimeKey, page: str) -> Passkey:
    """What the page shows, in the program of the reader."""
    [passkey] = key.open(*from_paste(unescape(page)))
    return passkey


def events(portal: Portal) -> int:
    """How often one was revealed."""
    [[count]] = portal.scene.sql("SELECT count(*) FROM events WHERE kind = 'emergency credential revealed'")
    return int(count)


@pytest.mark.parametrize(
    ("name", "fields", "status"),
    [
        (ADMIN, {"reason": " "}, httpx.codes.UNPROCESSABLE_ENTITY),
        (ADMIN, {"reader": "no key"}, httpx.codes.UNPROCESSABLE_ENTITY),
        (ADMIN, {"reader": ""}, httpx.codes.UNPROCESSABLE_ENTITY),
        (AUDITOR, {}, httpx.codes.FORBIDDEN),
        ("alex", {}, httpx.codes.FORBIDDEN),
    ],
)
async def test_what_is_refused_is_refused_before_anyone_signs_in(
    portal: Portal, address: str, name: str, fields: dict[str, str], status: int
) -> None:
    before = events(portal)
    visit = await portal.visit(name)
    given = {"reason": "an outage", "reader": OneTimeKey().public} | fields
    assert (await visit.post(address, **given)).status_code == status
    assert events(portal) == before


async def test_it_is_given_once_to_the_program_that_waits(portal: Portal, address: str) -> None:
    program = await create_subprocess_exec(
        sys.executable, emergency_kit.__file__, "--list", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert program.stdout
    public, code = [(await program.stdout.readline()).decode().split(":")[1].strip() for _ in range(2)]
    visit = await portal.sign_in(ADMIN)
    form = {"reason": "an outage", "reader": public}
    sent = (await visit.post(address, **form)).headers["location"]
    back = await portal.prove_at(sent, ADMIN)
    given = await portal.come_back(visit, back)
    assert given.status_code == httpx.codes.OK, given.text
    assert code in given.text
    said, _ = await program.communicate(unescape(given.text).encode())
    assert f"{portal.scene.customer}  {account_name(portal.scene)}" in said.decode()

    [[sentence]] = portal.scene.sql("SELECT sentence FROM alarms WHERE kind = 'emergency credential revealed'")
    assert code in sentence
    assert "Dana Frost may sign in with it until" in (await visit.get("/emergency")).text
    assert (
        f"Dana Frost may sign in as emergency account 1 of {portal.scene.customer}" in (await visit.get("/open")).text
    )
    assert f'href="/emergency?tenant={portal.scene.customer}"' in (await visit.get("/trouble")).text
    again = await portal.come_back(visit, back)
    assert again.status_code == httpx.codes.BAD_REQUEST
    refused = await visit.post(address, **form)
    assert refused.status_code == httpx.codes.CONFLICT, refused.text
    assert "used already" in refused.text


async def test_a_worker_may_take_longer_than_a_page(
    portal: Portal, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = portal.web.state.app.settings.model_copy(update={"worker_patience_seconds": 0.001})
    monkeypatch.setattr(portal.web.state.app, "settings", hasty)
    key, visit = OneTimeKey(), await portal.sign_in(ADMIN)
    sent = (await visit.post(address, reason="an outage", reader=key.public)).headers["location"]
    answer = await portal.come_back(visit, await portal.prove_at(sent, ADMIN))
    where = answer.headers["location"]
    assert where.startswith("/waiting/reveal_emergency_account/")

    async def given() -> str | None:
        page = await visit.get(where)
        return page.text if "Sealed credential" in page.text else None

    assert opened(key, await eventually(given)).account_name == account_name(portal.scene)


async def test_nothing_on_the_way_opens_with_what_the_portal_holds(portal: Portal, address: str) -> None:
    key, act = OneTimeKey(), portal.scene
    visit = await portal.sign_in(ADMIN)
    sent = (await visit.post(address, reason="an outage", reader=key.public)).headers["location"]
    given = await portal.come_back(visit, await portal.prove_at(sent, ADMIN))
    passkey = opened(key, given.text)
    assert await works(act, passkey)

    [[errand, outcome]] = act.sql("SELECT id, outcome FROM errands ORDER BY done_at DESC LIMIT 1")
    assert act.app.client
    history = await history_of(act, act.app.client.get_workflow_handle(f"errand/{errand}"))
    assert key.public.encode() in history, "it can be read"
    for secret in (passkey.private_key, passkey.credential_id):
        assert secret.encode() not in history
    assert passkey.private_key.encode() not in ledger_of(act)
    result = outcome["result"]
    assert key.open(result["sealed"], result["about"]), "this is what was given"
    held = PortalKeyring.parse(PortalKeyring.derived(act.app.keyring).get_secret_value())
    for purpose in Purpose:
        with suppress(KeyNotHeldError):
            mine = X25519PrivateKey.from_private_bytes(held.private(held.active_id, purpose))
            with pytest.raises(InvalidTag):
                SUITE.decrypt(b64decode(result["sealed"]), mine, info=result["about"].encode())


async def test_a_worker_believes_the_sign_in_for_this_alone(portal: Portal, address: str) -> None:
    """With the portal's environment an intruder signs errands in the name of every admin."""
    act, key = portal.scene, OneTimeKey()
    request, token = await token_for(portal, key)
    before = events(portal)
    mine = request_of(act, OneTimeKey())
    elsewhere = variant(act.app, settings=act.settings.model_copy(update={"emergency_group": uuid4()}))
    for app, actor, asked, sign_in, error in (
        (act.app, DANA, request, None, RefusedError),
        (act.app, DANA, mine, token, InvalidIdTokenError),
        (act.app, DANA.model_copy(update={"id": str(uuid4())}), request, token, RefusedError),
        (variant(act.app, clock=lambda: stage_clock() + timedelta(minutes=6)), DANA, request, token, SignInFailedError),
        (elsewhere, DANA, request, token, NotAllowedError),
    ):
        with pytest.raises(error):
            await reveal_emergency_account(actor, app, asked, sign_in)
    request, token = await token_for(portal, key, AUDITOR)
    noor = DANA.model_copy(update={"id": "0a0a0a0a-1111-4111-8111-0000000000a5"})
    with pytest.raises(NotAllowedError):
        await reveal_emergency_account(noor, act.app, request, token)
    assert events(portal) == before


@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium to look with")
@pytest.mark.parametrize(("width", "scripts"), [("narrow", True), ("wide", False)])
async def test_a_person_carries_it_from_browser_to_browser(
    portal: Portal, address: str, browser: Browser, width: str, scripts: bool
) -> None:
    key, act = OneTimeKey(), portal.scene
    window = {"viewport": {"width": WIDTHS[width], "height": 900}, "java_script_enabled": scripts}
    async with signed_in(browser, portal, ADMIN, ignore_https_errors=True, **window) as context:
        page = await context.new_page()
        if scripts:
            for path in ("/emergency", address):
                await look(await context.new_page(), portal, path, width)
        await page.goto(portal.origin + "/emergency")
        await page.get_by_role("link", name=f"Reveal emergency account 1 of {act.customer}").click()
        await page.get_by_label("Reason").fill("an outage")
        await page.get_by_label("Public key").fill(key.public)
        await page.get_by_role("button", name="Sign in again and reveal").click()
        for field, value in (("username", "dana@northwindmsp.com"), ("password", "sandbox-only-Dana1")):
            await page.locator(f"input[name={field}]").fill(value)
            await page.locator("button[type=submit], button[value]").first.click()
        shown = await page.get_by_label("Sealed credential").input_value()
        assert code_of(key.public) in await page.inner_text("main")
        if PICTURES:
            await page.screenshot(path=Path(PICTURES) / f"revealed-{width}.png", full_page=True)
        portal.forget(ADMIN)  # that session was replaced
    if scripts:
        attempt = await in_chromium(act).sign_in(opened(key, shown), ObjectId(user(act)["id"]))
        assert attempt.outcome is SignInOutcome.SIGNED_IN, attempt.detail


def test_who_may_see_one_is_a_group_of_its_own_or_the_admins() -> None:
    group = uuid4()
    dana = SignedInPerson(TenantId(HOME), ObjectId(DANA.id), "dana", app_roles=frozenset({"Admin"}))
    robin = replace(dana, app_roles=frozenset(), groups=frozenset({str(group)}))
    kim = replace(dana, app_roles=frozenset({"Emergency"}))
    assert RoleSource(None, None, None).roles(dana) == {Role.ADMIN, Role.EMERGENCY}
    for person, roles in ((dana, {Role.ADMIN}), (robin, {Role.EMERGENCY}), (kim, {Role.EMERGENCY})):
        assert RoleSource(None, None, group).roles(person) == roles
