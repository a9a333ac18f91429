"""The control interface asks for no sign-in, and every page that a person has open can send requests to this machine.

Browsers send a POST of plain text without asking: one to ``/reset`` took all accounts away. A page whose name resolves
to 127.0.0.1 has the sandbox's own origin for its browser, and could also read.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from sandbox.child import Addresses, running
from tests.chromium import ARGUMENTS, CHROMIUM, PATIENCE_MILLISECONDS
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.seeded import trusting

PLAIN = {"Content-Type": "text/plain"}


def marked(control: httpx.Client) -> bool:
    """Whether the mark that ``mark`` sets is still there; every change that is tried here would take it away."""
    return bool(control.get("/faults").json())


@pytest.fixture
def mark(control: httpx.Client) -> None:
    """Something that a reset forgets."""
    assert control.post("/faults", json={"status": 503, "path": "/never"}).status_code == 200


@pytest.mark.usefixtures("mark")
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:{port}", "https://localhost:1"])
def test_a_page_of_another_site_changes_nothing(control: httpx.Client, addresses: Addresses, origin: str) -> None:
    """Another port and plain HTTP are other sites, too: there may be another program behind them."""
    page = {**PLAIN, "Origin": origin.format(port=addresses.port)}
    for method, path in (("POST", "/reset"), ("DELETE", "/faults"), ("POST", "/sign-in"), ("PATCH", "/tenants/x")):
        refused = control.request(method, path, headers=page, content=b"{}")
        assert refused.status_code == 403
        assert refused.json()["error"].startswith(f"Origin: {page['Origin']} may not change this sandbox.")
    assert marked(control)


@pytest.mark.usefixtures("mark")
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "localhost.evil.example", "[::2]", "", "a@b:c"]
)
def test_another_name_for_this_machine_is_refused(control: httpx.Client, addresses: Addresses, host: str) -> None:
    name = host.format(port=addresses.port)
    for method, path in (("POST", "/reset"), ("GET", "/export"), ("GET", "/")):
        refused = control.request(method, path, headers={"Host": name, "Origin": f"https://{name}"})
        assert refused.status_code == 403
        assert "--public-host" in refused.json()["error"]
    assert marked(control)


def test_its_own_names_and_its_own_page_are_served(control: httpx.Client, addresses: Addresses) -> None:
    for name in ("localhost", "LOCALHOST", "127.0.0.1", "[::1]"):
        for host in (name, f"{name}:{addresses.port}"):
            assert control.get("/", headers={"Host": host}).status_code == 200
            own = {"Host": host, "Origin": f"https://{host.lower()}"}
            assert control.post("/random-seed", headers=own, json={"seed": 2}).status_code == 200


def test_the_name_for_callers_on_other_machines_is_one_of_its_own(tmp_path: Path) -> None:
    with (
        running(tmp_path, "--host", "0.0.0.0", "--public-host", "sandbox") as addresses,  # noqa: S104
        httpx.Client(verify=trusting(addresses), trust_env=False, timeout=PATIENCE_SECONDS) as client,
    ):
        url = f"https://localhost:{addresses.port}/sandbox/tenants"
        for host, status in (("sandbox:8443", 200), ("localhost", 200), ("0.0.0.0", 403), ("elsewhere", 403)):  # noqa: S104
            assert client.get(url, headers={"Host": host}).status_code == status, host


@pytest.fixture
def another_site() -> Iterator[str]:
    """An address with nothing but an empty page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("mark")
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM} to send requests with")
def test_a_real_browser_is_refused_on_another_site_and_served_on_its_own(
    control: httpx.Client, addresses: Addresses, another_site: str
) -> None:
    send = """async ([url, mode]) => {
        await fetch(url, {method: "POST", mode, headers: {"Content-Type": "text/plain"}, body: "{}"}).catch(() => null);
    }"""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE_MILLISECONDS)
        page = browser.new_page(ignore_https_errors=True)
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        reset = f"{addresses.control_url}/reset"
        answers: list[int] = []
        page.on("response", lambda answer: answers.append(answer.status) if answer.url == reset else None)

        page.goto(another_site)
        page.evaluate(send, [reset, "no-cors"])
        assert answers == [403]
        assert marked(control)

        page.goto(f"{addresses.control_url}/")
        expect(page.get_by_text("Contoso").first).to_be_visible()
        page.evaluate(send, [reset, "same-origin"])
        assert answers == [403, 200]
        browser.close()
