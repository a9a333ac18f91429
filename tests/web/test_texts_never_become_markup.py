"""What people and directories write is shown as they wrote it, and never becomes part of a page."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from entra_jit.operations.end_access import end_access
from entra_jit.web.rendering import coded
from tests.actors import TESTER
from tests.web.visits import ADMIN, AUDITOR, Portal, Visit

MARK = "injected-by-a-text"
MARKUP = f'"><img id={MARK} src=x onerror=alert(1)><b hx-get="/">\u202e{{{{ 7*7 }}}}'


@pytest.fixture
async def poisoned(portal: Portal) -> AsyncIterator[None]:
    """Every name and text that reaches a page has markup in it."""
    request_id = await portal.scene.ask("alex", customer=portal.scene.customers[-2], reason=MARKUP, ticket=MARKUP)
    stranger = Visit(portal.origin)
    stranger.http.headers["User-Agent"] = MARKUP.replace("\u202e", "")
    await portal.come_back(stranger, await portal.prove(stranger, "sasha"))
    portal.scene.sql("UPDATE waiting_sign_ins SET name = %s, display_name = %s", MARKUP, MARKUP)
    portal.scene.sql("UPDATE sessions SET browser = %s", MARKUP)
    portal.scene.sql("UPDATE tenants SET display_name = %s", MARKUP)
    portal.scene.sql("UPDATE technicians SET display_name = %s WHERE name = 'robin'", MARKUP)
    yield
    await end_access(TESTER, portal.scene.app, request_id)
    await portal.configure()


@pytest.mark.usefixtures("poisoned")
async def test_no_text_becomes_markup_on_any_page(portal: Portal) -> None:
    shown = 0
    for name in ("alex", "robin", ADMIN, AUDITOR):
        visit = await portal.visit(name)
        for path in await portal.pages_of(name):
            text = (await visit.get(path)).text
            assert f"<img id={MARK}" not in text, path
            assert "<b hx-get" not in text, path
            assert "\u202e" not in text, path
            assert text.count("{{ 7*7 }}") == text.count(MARK), path
            shown += text.count(MARK)
    assert shown > 5, "the texts are shown nowhere, so that this proves nothing"


async def test_what_is_in_an_address_is_not_repeated_as_markup(portal: Portal) -> None:
    visit = await portal.visit("alex")
    for path in (f"/<img id={MARK}>", f"/sign-in?to=/<img id={MARK}>", f"/auth/callback?error=<img id={MARK}>"):
        assert f"<img id={MARK}" not in (await visit.get(path)).text


def test_what_is_shown_as_code_is_text_all_the_same() -> None:
    assert coded("Run `x <b>`, not\n<i>`") == "Run <code>x &lt;b&gt;</code>, not &lt;i&gt;`"
