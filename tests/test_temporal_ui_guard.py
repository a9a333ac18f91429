"""The guard in front of Temporal's UI lets harmless requests through, and nothing else.

The UI's own switches grey its buttons out; a request sent without the button would still leave an account open. And a
guard that also refuses to cancel takes away the one thing that must work at night.

A permitted request can still be sent too large or too often: Temporal terminates a workflow whose history reaches
50 MB, and refuses every further signal, ``end`` included, after 10,000.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from entra_jit.local_stack.addresses import reserve_ports
from entra_jit.local_stack.temporal import Temporal
from entra_jit.local_stack.ui_guard import PERMITTED as PERMITTED_BY_MAKE_UP
from tests.patience import PATIENCE_SECONDS
from tests.ui_guard import CONFIGURATION, embedded_guard, ui_guard

API = "/api/v1/namespaces/default"
GRANT = f"{API}/workflows/grant%2Fcontoso%2Falex%2Fdemo-1.a"

PERMITTED = (
    ("GET", "/"),
    ("GET", "/namespaces/default/workflows?query=GrantState%3D%22open%22"),
    ("GET", f"{GRANT}?execution.runId=1"),
    ("POST", f"{GRANT}/query/__temporal_workflow_metadata"),
    ("POST", f"{API}/workflows/reconciliation-2026-11-23T18:00:01Z/query/__stack_trace"),
    ("POST", f"{GRANT}/cancel"),
    ("POST", f"{GRANT}/cancel?execution.runId=1"),
    ("POST", f"{GRANT}/signal/end"),
    ("POST", f"{GRANT}/signal/retry"),
)
REFUSED = (
    ("POST", f"{GRANT}/terminate"),
    ("POST", f"{GRANT}/reset"),
    ("POST", f"{GRANT}/signal/request_access"),
    ("POST", f"{GRANT}/update/extend"),
    ("POST", f"{GRANT}/pause"),
    ("POST", f"{GRANT}/activities/pause"),
    ("POST", f"{GRANT}"),
    ("DELETE", f"{GRANT}"),
    ("POST", f"{API}/batch-operations/1"),
    ("POST", f"{API}/schedules/reconciliation/patch"),
    ("DELETE", f"{API}/schedules/reconciliation"),
    ("POST", f"{API}/workflows/reconciliation-1/cancel"),
    # The same, in disguise.
    ("POST", f"{GRANT}/cancel/../terminate"),
    ("POST", f"{GRANT}/cancel%2F..%2Fterminate"),
    ("POST", f"{GRANT}/terminate?/signal/end"),
    ("POST", f"{GRANT}%2F..%2F..%2Fx/cancel"),
    ("POST", f"{API}/workflows/grant%2F../cancel"),
    ("POST", f"//{API[1:]}/workflows/grant%2Fcontoso%2Falex%2Fdemo-1/cancel"),
    ("POST", f"{API}/workflows/grant%2Fcontoso%2F..%2Fdemo-1/cancel"),
    ("POST", f"{API}/workflows/grant%2Fcontoso%2Falex%2F..%2Fdemo-1/cancel"),
    ("PUT", f"{GRANT}/cancel"),
    ("post", f"{GRANT}/terminate"),
)


def test_the_rules_let_through_what_closes_and_nothing_else_that_changes_something() -> None:
    rules = re.findall(r'^ +"~(.+)" 1;$', CONFIGURATION.read_text(), re.MULTILINE)
    assert tuple(rules) == PERMITTED_BY_MAKE_UP
    for method, path in PERMITTED:
        assert any(re.search(rule, f"{method} {path}") for rule in rules), (method, path)
    for method, path in REFUSED:
        assert not any(re.search(rule, f"{method} {path}") for rule in rules), (method, path)


class _Everything(BaseHTTPRequestHandler):
    """A UI that does whatever it is asked to."""

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and self.parse_request():
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def everything() -> Iterator[str]:
    """``host:port`` of such a UI."""
    ui = ThreadingHTTPServer(("127.0.0.1", 0), _Everything)
    threading.Thread(target=ui.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{ui.server_port}"
    finally:
        ui.shutdown()
        ui.server_close()


@pytest.fixture(params=[ui_guard, embedded_guard], ids=["nginx", "make up"])
def guarded(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of each guard in front of ``_Everything``."""
    with everything() as ui, request.param(tmp_path / "guard", ui) as address:
        yield address


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[str]:
    """The address of the guard that limits rates, in front of ``_Everything``."""
    with everything() as ui, ui_guard(tmp_path / "guard", ui) as address:
        yield address


def test_both_guards_understand_them_so(guarded: str) -> None:
    with httpx.Client(base_url=guarded, trust_env=False, timeout=PATIENCE_SECONDS) as browser:
        for answer, requests in ((200, PERMITTED), (405, REFUSED)):
            for method, path in requests:
                request = httpx.Request(method, guarded)
                request.url = request.url.copy_with(raw_path=path.encode())
                assert browser.send(request).status_code in {answer, 400 if answer == 405 else answer}, (method, path)


@pytest.mark.parametrize(
    "path", [f"{GRANT}/signal/retry", f"{GRANT}/cancel", f"{GRANT}/query/__stack_trace", "/namespaces"]
)
def test_a_body_of_more_than_4_kb_is_refused(guarded: str, path: str) -> None:
    with httpx.Client(base_url=guarded, trust_env=False, timeout=PATIENCE_SECONDS) as browser:
        method = "POST" if path != "/namespaces" else "GET"
        assert browser.request(method, path, content=b"x" * 4096).status_code == 200
        for content in (b"x" * 4097, b"x" * 700_000, iter([b"x" * 4096, b"x"])):  # the last without Content-Length
            answer = browser.request(method, path, content=content)
            assert (answer.status_code, "4 kB" in answer.text) == (413, True)


def test_a_grant_takes_few_signals_and_every_cancel(limited: str) -> None:
    """The rate is the grant's own: neither another address nor another spelling of the request gets around it."""
    with httpx.Client(base_url=limited, trust_env=False, timeout=PATIENCE_SECONDS) as browser:
        answers = [browser.post(f"{GRANT}/signal/retry") for _ in range(40)]
        assert [answer.status_code for answer in answers[:10]] == [200] * 10
        refusal = answers[-1]
        assert (refusal.status_code, refusal.headers["Retry-After"]) == (429, "60")
        assert "Cancelling is never refused" in refusal.text

        disguised = (
            (f"{GRANT}/signal/retry?execution.runId=1", {}),
            (f"{GRANT.replace('default', 'def%61ult')}/signal/retry", {}),
            (f"{GRANT}/signal/retry", {"X-Forwarded-For": "192.0.2.1", "X-Real-IP": "192.0.2.1"}),
        )
        for path, headers in disguised:
            answers = [browser.post(path, headers=headers) for _ in range(5)]
            assert answers[-1].status_code == 429, (path, headers)
        with httpx.Client(
            base_url=limited,
            transport=httpx.HTTPTransport(local_address="127.0.0.2"),
            trust_env=False,
            timeout=PATIENCE_SECONDS,
        ) as elsewhere:
            answers = [elsewhere.post(f"{GRANT}/signal/retry") for _ in range(5)]
            assert answers[-1].status_code == 429

        assert browser.post(f"{GRANT}/signal/end").status_code == 200, "retries do not use up what ends a grant"
        assert browser.post(f"{GRANT}-2/signal/retry").status_code == 200
        assert {browser.post(f"{GRANT}/cancel").status_code for _ in range(100)} == {200}
        assert {browser.get(GRANT).status_code for _ in range(100)} == {200}


def test_an_address_sends_few_signals_however_many_grants_it_names(limited: str) -> None:
    """Else it could crowd a grant out of nginx's memory, and with it the count of its signals."""
    with httpx.Client(base_url=limited, trust_env=False, timeout=PATIENCE_SECONDS) as browser:
        answers = [
            browser.post(f"{GRANT}-{number}/signal/retry", headers={"X-Forwarded-For": f"192.0.2.{number}"})
            for number in range(200)
        ]
        assert [answer.status_code for answer in answers[:30]] == [200] * 30
        assert answers[-1].status_code == 429
        assert browser.post(f"{GRANT}-0/signal/end").status_code == 200


def test_another_sites_name_for_this_machine_is_refused(guarded: str) -> None:
    """A web page can have its own name resolve to 127.0.0.1; its browser then takes the guard for the page's own site.

    It could read the UI's CSRF token, and send it.
    """
    with httpx.Client(base_url=guarded, trust_env=False, timeout=PATIENCE_SECONDS) as browser:
        for host in ("localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080"):
            assert browser.post(f"{GRANT}/cancel", headers={"Host": host}).status_code == 200, host
        for host in ("evil.example", "evil.example:8080", "localhost.evil.example", "temporal-ui"):
            for method, path in PERMITTED:
                answer = browser.request(method, path, headers={"Host": host})
                assert (answer.status_code, "name" in answer.text) == (403, True), (host, method, path)


@pytest.fixture
async def temporal(tmp_path: Path) -> AsyncIterator[tuple[Client, str]]:
    """A real Temporal: a client, and the ``host:port`` of its real UI."""
    for name in ("run", "logs"):
        (tmp_path / name).mkdir()
    ports = reserve_ports(tmp_path)
    server = Temporal(tmp_path)
    await server.start(port=ports.temporal, ui_port=ports.temporal_ui)
    ui = f"127.0.0.1:{ports.temporal_ui}"
    try:
        async with httpx.AsyncClient(base_url=f"http://{ui}", trust_env=False, timeout=PATIENCE_SECONDS) as browser:
            # The UI listens before it has reached the server, and tries again after a second.
            while (await browser.get("/api/v1/system-info")).status_code != 200:
                await asyncio.sleep(0.1)
        yield await Client.connect(server.address), ui
    finally:
        await server.stop()


async def test_no_signals_through_the_guard_end_a_grant(temporal: tuple[Client, str], tmp_path: Path) -> None:
    """75 signals of 700 kB each had a grant terminated, and its account stayed open."""
    client, ui = temporal
    grant = await client.start_workflow("AccessGrant", id="grant/contoso/alex/demo-1.a", task_queue="none")

    def payload(size: int) -> bytes:
        encoded = {"metadata": {"encoding": _base64("json/plain")}, "data": _base64(json.dumps("x" * size))}
        return json.dumps({"input": {"payloads": [encoded]}}).encode()

    def send(address: str) -> list[int]:
        with httpx.Client(base_url=address, trust_env=False, timeout=PATIENCE_SECONDS) as browser:
            browser.get("/api/v1/settings")
            browser.headers["X-CSRF-Token"] = browser.cookies["_csrf"]
            large, small = payload(700_000), payload(2_800)
            answers = [browser.post(f"{GRANT}/signal/retry", content=small).status_code]
            bodies = [large if number % 2 else iter([large]) for number in range(75)] + [small] * 75
            answers += [browser.post(f"{GRANT}/signal/retry", content=body).status_code for body in bodies]
            assert browser.post(f"{GRANT}/signal/end", content=b"{}").status_code == 200
            for _ in range(50):
                assert browser.post(f"{GRANT}/cancel", content=b"{}").status_code == 200
            return answers

    with ui_guard(tmp_path / "guard", ui) as address:
        answers = await asyncio.to_thread(send, address)

    assert answers[:9] == [200] + [413] * 8
    assert set(answers[1:76]) <= {413, 429}
    assert set(answers[76:]) <= {200, 429}
    assert (await grant.describe()).status is WorkflowExecutionStatus.RUNNING
    events = await _events(grant)
    assert events.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED) == answers.count(200) + 1
    assert events.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED) == 1, "the rest fills no history"


async def test_a_web_page_gets_nothing_past_the_guard(temporal: tuple[Client, str], tmp_path: Path) -> None:
    """What a page of another site can have a browser send without asking: a POST of plain text."""
    client, ui = temporal
    grant = await client.start_workflow("AccessGrant", id="grant/contoso/alex/demo-1.a", task_queue="none")
    page = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}
    with ui_guard(tmp_path / "guard", ui) as address:
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=PATIENCE_SECONDS) as browser:
            for action in ("cancel", "signal/end"):
                answer = await browser.post(f"{GRANT}/{action}", headers=page, content=b"{}")
                assert answer.status_code == 403
    assert len(await _events(grant)) == 2


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def _events(workflow: WorkflowHandle[object, object]) -> list[EventType.ValueType]:
    return [event.event_type async for event in workflow.fetch_history_events()]
