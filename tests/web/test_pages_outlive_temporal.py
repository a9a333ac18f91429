"""Lists and pages work while Temporal is down, and say so; what needs it fails with a sentence."""

from __future__ import annotations

from contextlib import AsyncExitStack

import httpx
import pytest

from entra_jit.web.application import portal as web_application
from entra_jit.web.engine import EngineWatch
from tests.patience import eventually
from tests.stage import variant
from tests.web.visits import Portal


async def test_pages_are_shown_and_say_that_temporal_is_away(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", "/dev/null")
    lonely = web_application(variant(portal.scene.app, client=None))
    visit = await portal.visit("alex")
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(lonely.router.lifespan_context(lonely))
        watch: EngineWatch = lonely.state.engine

        async def noticed() -> bool | None:
            return watch.is_away or None

        await eventually(noticed)
        http = await opened.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(lonely), base_url=portal.origin)
        )
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in visit.cookies.items())}
        for path in await portal.pages_of("alex"):
            answer = await http.get(path, headers=cookies)
            assert answer.status_code == httpx.codes.OK, path
            assert "Temporal does not answer" in answer.text, path
    assert "Temporal does not answer" not in (await visit.get("/")).text


async def test_a_defect_of_ours_is_a_page_with_the_same_headers_and_without_a_traceback(portal: Portal) -> None:
    """What fails in a way that was not foreseen must not be the one page that an injected script runs on."""
    broken = web_application(portal.scene.app)

    @broken.get("/broken")
    async def fail() -> None:
        raise ZeroDivisionError("with-something-secret")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(broken), base_url=portal.origin) as http:
        answer = await http.get("/broken")
    assert answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR
    assert "please report it" in answer.text
    assert "with-something-secret" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
