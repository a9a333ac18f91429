"""People sign in with browsers, and a page that only our own reader understands would keep them all out.

A real Chromium, driven by what a person sees: labels and the names of buttons. The certificate authority is trusted by
ignoring certificates here; whether it can be trusted is for the other tests.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sandbox.child import Addresses
from tests.chromium import ARGUMENTS, CHROMIUM, PATIENCE_MILLISECONDS
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.authenticator import Authenticator
from tests.sandbox.person import SIGN_IN_APP, SIGN_IN_SECRET
from tests.sandbox.seeded import ADELE, CONTOSO, ELEVATE, Graph

expect.set_options(timeout=PATIENCE_MILLISECONDS)

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no /usr/bin/chromium to look with")

VIRTUAL_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
Arrived = Callable[[], dict[str, str]]


class Application:
    """The application's own server: remembers what browsers bring."""

    def __init__(self) -> None:
        self._arrived: Queue[dict[str, str]] = Queue()
        application = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._take(urlsplit(self.path).query)

            def do_POST(self) -> None:
                self._take(self.rfile.read(int(self.headers["content-length"])).decode())

            def _take(self, parameters: str) -> None:
                if self.path.startswith("/favicon"):
                    self.send_error(404)
                    return
                application._arrived.put(dict(parse_qsl(parameters)) | {"method": self.command})
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def arrived(self) -> dict[str, str]:
        """What a browser brings next."""
        return self._arrived.get(timeout=PATIENCE_SECONDS)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def application() -> Iterator[Application]:
    opened = Application()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=PATIENCE_MILLISECONDS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, addresses: Addresses) -> Iterator[Page]:
    context = browser.new_context(ignore_https_errors=True, base_url=addresses.login_url)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    yield opened
    context.close()
    assert [text for text in complaints if "Content Security Policy" in text] == [], "a page broke its own policy"


def start(page: Page, application: Application, **changes: str) -> None:
    asked = {
        "client_id": SIGN_IN_APP,
        "response_type": "code",
        "redirect_uri": f"{application.url}/auth/callback",
        "response_mode": "form_post",
        "scope": "openid profile User.Read",
        "state": "the state",
    } | changes
    page.goto(f"/organizations/oauth2/v2.0/authorize?{urlencode(asked)}")


def name(page: Page, username: str) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_role("button", name="Next").click()


def sign_in(page: Page, username: str, password: str) -> None:
    name(page, username)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_with_a_password_a_wrong_one_first(page: Page, application: Application, login: httpx.Client) -> None:
    start(page, application)
    sign_in(page, "adele@contoso.com", "sandbox-only-wrong")
    expect(page.get_by_role("alert")).to_contain_text("incorrect")
    expect(page.get_by_label("Password")).to_be_focused()
    page.get_by_label("Password").fill("sandbox-only-Adele1")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading")).to_have_text("Permissions requested")
    page.get_by_role("button", name="Accept").click()
    brought = application.arrived()
    assert (brought["method"], brought["state"]) == ("POST", "the state")
    form = {
        "client_id": SIGN_IN_APP,
        "client_secret": SIGN_IN_SECRET,
        "grant_type": "authorization_code",
        "code": brought["code"],
        "redirect_uri": f"{application.url}/auth/callback",
    }
    assert login.post(f"/{CONTOSO}/oauth2/v2.0/token", data=form).status_code == 200
    start(page, application, response_mode="query", prompt="select_account")
    page.get_by_role("button", name="Adele Vance").click()
    again = application.arrived()
    assert (again["method"], again["state"]) == ("GET", "the state"), "and the session is kept"


def test_with_a_temporary_access_pass(page: Page, application: Application, graph: Graph, account: str) -> None:
    held = graph().post(f"/users/{account}/authentication/temporaryAccessPassMethods", json={}).json()
    start(page, application)
    name(page, "msp-alex@contoso.onmicrosoft.com")
    page.get_by_label("Temporary Access Pass").fill(held["temporaryAccessPass"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Accept").click()
    assert "code" in application.arrived()


def test_with_a_second_factor(page: Page, application: Application, control: httpx.Client) -> None:
    control.post("/tenants/contoso/sign-in-policy", json={"require_mfa": True})
    start(page, application)
    sign_in(page, "adele@contoso.com", "sandbox-only-Adele1")
    expect(page.get_by_role("heading")).to_have_text("Keep your account secure")
    page.get_by_label("Code").fill(page.locator("#phone").inner_text())
    page.get_by_role("button", name="Register").click()
    page.get_by_role("button", name="Accept").click()
    assert "code" in application.arrived()


def test_consent_is_cancelled_and_then_granted(page: Page, application: Application, control: httpx.Client) -> None:
    control.patch(f"/applications/{ELEVATE}", json={"redirect_uris": ["http://localhost/consent/callback"]})
    control.delete(f"/tenants/contoso/applications/{ELEVATE}")
    asked = {
        "client_id": ELEVATE,
        "redirect_uri": f"{application.url}/consent/callback",
        "scope": "https://graph.microsoft.com/.default",
        "state": "the state",
    }
    page.goto(f"/organizations/v2.0/adminconsent?{urlencode(asked)}")
    sign_in(page, "admin@contoso.onmicrosoft.com", "sandbox-only-Admin1")
    expect(page.get_by_role("heading")).to_have_text("Permissions requested for your organization")
    page.get_by_role("button", name="Cancel").click()
    assert application.arrived()["error"] == "consent_required"
    page.goto(f"/organizations/v2.0/adminconsent?{urlencode(asked)}")
    page.get_by_role("button", name="Accept").click()
    assert application.arrived()["tenant"] == CONTOSO
    shown = control.get("/tenants/contoso").json()["service_principals"]
    assert ELEVATE in {one["app_id"] for one in shown}


def test_with_a_passkey_that_a_server_made(
    page: Page, graph: Graph, control: httpx.Client, application: Application
) -> None:
    """The key is put into Chromium's own authenticator, as a program that holds it would."""
    grant = {"app": ELEVATE, "grant": ["UserAuthMethod-Passkey.ReadWrite.All"]}
    control.post("/tenants/contoso", json={"service_principals": [grant]})
    client, passkey = graph(), Authenticator()
    methods = f"/users/{ADELE}/authentication/fido2Methods"
    options = client.get(f"{methods}/creationOptions").json()["publicKey"]
    body = {"displayName": "entra-jit", "publicKeyCredential": passkey.create(options)}
    assert client.post(methods, json=body).status_code == 201
    developer_tools = page.context.new_cdp_session(page)
    developer_tools.send("WebAuthn.enable", {"enableUI": False})
    added = developer_tools.send("WebAuthn.addVirtualAuthenticator", {"options": VIRTUAL_AUTHENTICATOR})
    developer_tools.send("WebAuthn.addCredential", added | {"credential": passkey.as_chromium_takes_it(options)})
    start(page, application)
    name(page, "adele@contoso.com")
    expect(page.get_by_role("heading")).to_have_text("Face, fingerprint, PIN or security key")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Accept").click()
    assert "code" in application.arrived()
