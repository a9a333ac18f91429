"""What the guard in front of Temporal's UI lets through.

The UI's own switches grey its buttons out; whoever sends the request without the button would still leave an account
open. And a guard that also refuses to cancel takes away the one thing that must work at night.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from entra_jit.local_stack.addresses import reserve_ports

CONFIGURATION = Path(__file__).parent.parent / "deploy" / "temporal-ui-guard.conf"
API = "/api/v1/namespaces/default"
GRANT = f"{API}/workflows/grant%2Fdemo-1.a"

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
    ("POST", f"//{API[1:]}/workflows/grant%2Fdemo-1/cancel"),
    ("PUT", f"{GRANT}/cancel"),
    ("post", f"{GRANT}/terminate"),
)


def test_the_rules_let_through_what_closes_and_nothing_else_that_changes_something() -> None:
    rules = re.findall(r'^ +"~(.+)" 1;$', CONFIGURATION.read_text(), re.MULTILINE)
    assert rules
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


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    """The address of a guard in front of ``_Everything``."""
    if (nginx := shutil.which("nginx")) is None:
        pytest.skip("there is no nginx to run the guard with")
    ui = ThreadingHTTPServer(("127.0.0.1", 0), _Everything)
    threading.Thread(target=ui.serve_forever, daemon=True).start()
    port = reserve_ports(tmp_path).temporal_ui
    configuration = tmp_path / "guard.conf"
    configuration.write_text(
        CONFIGURATION.read_text()
        .replace("listen 8080", f"listen 127.0.0.1:{port}")
        .replace("temporal-ui:8080", f"127.0.0.1:{ui.server_port}")
        .replace("/tmp/", f"{tmp_path}/")  # noqa: S108  # what the configuration says
    )
    guard = subprocess.Popen([nginx, "-c", configuration, "-g", "daemon off;"])
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                httpx.get(address, trust_env=False)
                break
            except httpx.ConnectError:
                assert guard.poll() is None
        yield address
    finally:
        guard.terminate()
        guard.wait()
        ui.shutdown()
        ui.server_close()


def test_nginx_understands_them_so(guarded: str) -> None:
    with httpx.Client(base_url=guarded, trust_env=False) as browser:
        for answer, requests in ((200, PERMITTED), (405, REFUSED)):
            for method, path in requests:
                request = httpx.Request(method, guarded)
                request.url = request.url.copy_with(raw_path=path.encode())
                assert browser.send(request).status_code in {answer, 400 if answer == 405 else answer}, (method, path)
