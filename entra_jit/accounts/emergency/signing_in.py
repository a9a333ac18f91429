"""Trying a credential: a browser without a window signs in with it, and ``/me`` says as whom.

One small interface, ``SignsIn``: how a passkey is used is known here and in ``emergency_kit`` alone. The doctor's
canary signs in the same way with what a grant gives a technician, a pass or a password, which is typed.

Microsoft's sign-in page is no interface, and may look different tomorrow. So what the page says against the credential
is told apart from a page that we do not find our way through.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from entra_jit.emergency_kit import Browser, KitError, Passkey
from entra_jit.graph import Graph, SignInRefusedError, SignInUnreachableError
from entra_jit.settings import Settings
from models.messages import CredentialKind, ObjectId, SignInAttempt, SignInOutcome, TenantId
from models.plain_text import plain

WALKS_FOR_SECONDS = 60.0
_LOOKS_EVERY_SECONDS = 0.25
_LONGEST_DETAIL = 200

STAYS_OUT = "#idBtn_Back"
"""``Stay signed in?``: no."""

CLICKED = (
    "button[value='passkey']",  # the sandbox's
    "div[data-value='FidoKey']",  # Microsoft's list of methods
    "div[data-test-cred-id='7']",
    "#idA_PWD_SwitchToFido",  # beside the question for a password
    "#idA_PWD_SwitchToCredPicker",  # the way to the list
    "#signInAnotherWay",
    STAYS_OUT,
)
"""What is clicked where it is shown, in this order, each once a page. Seen in copies of Microsoft's page and in
programs that click there; never tried on a live one."""

CLICKED_BEFORE_TYPING = ("button[value='use-pass']", STAYS_OUT)

TYPED: Mapping[CredentialKind, Sequence[tuple[str, str]]] = {
    CredentialKind.TEMPORARY_ACCESS_PASS: (
        ("input[name='temporary_access_pass']", "button[value='pass']"),  # the sandbox's
        ("input[name='accesspass']", "#idSIButton9"),
    ),
    CredentialKind.PASSWORD: (
        ("input[name='password']", "button[value='password']"),
        ("input[name='passwd']", "#idSIButton9"),
    ),
}
"""Where it is typed, and what is pressed then: once. Of Microsoft's, the pass's is taken from programs that fill it."""

WALLS = ("button[value='code']", "#idSubmit_ProofUp_Redirect")
"""A page that asks for one more way to sign in, or to register one: the credential alone opens nothing."""

CONFIRMS = "Are you trying to sign in to"
"""Microsoft's question about a program on a person's own machine. Its main button is clicked."""

_LOOK = """
(() => {
  if (location.protocol === "chrome-error:") return {gone: true};
  const text = document.body ? document.body.innerText : "";
  const refused = text.match(/[^\\n]*AADSTS\\d+[^\\n]*/);
  if (refused) return {refused: refused[0]};
  const shown = (selector) => {
    const found = document.querySelector(selector);
    return found && found.offsetParent !== null && !found.disabled ? found : null;
  };
  if (WALLS.some(shown)) return {refused: "The page asks for a second factor, or to register one."};
  for (const [field, button] of TYPED) {
    const place = shown(field);
    if (place && shown(button) && !place.dataset.tried) {
      place.dataset.tried = "yes";
      place.focus();
      return {typed: button};
    }
  }
  for (const selector of SELECTORS) {
    const found = shown(selector);
    if (found && !found.dataset.tried) {
      found.dataset.tried = "yes";
      found.click();
      return {clicked: selector};
    }
  }
  const main = document.querySelector("#idSIButton9");
  if (main && text.includes(CONFIRMS) && !main.dataset.tried) {
    main.dataset.tried = "yes";
    main.click();
    return {clicked: "#idSIButton9"};
  }
  return {title: document.title};
})()
"""


@dataclass(frozen=True)
class Typed:
    """A credential that is typed."""

    account_name: str
    kind: CredentialKind
    secret: SecretStr


class SignsIn(Protocol):
    """Signs in with a passkey, once."""

    async def sign_in(self, passkey: Passkey, object_id: ObjectId) -> SignInAttempt:
        """How it went. Signed in means: as the account of this id, by Graph's own answer. Raises nothing of ours."""


@dataclass(frozen=True)
class _Walked:
    """Where the browser came to."""

    outcome: SignInOutcome
    detail: str = ""
    address: str = ""


class BrowserSignIn:
    """``SignsIn`` by a headless Chromium on this machine, whose profile lives as long as one sign-in."""

    def __init__(self, graph: Graph, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._graph = graph
        self._settings = settings
        self._clock = clock

    async def sign_in(self, passkey: Passkey, object_id: ObjectId) -> SignInAttempt:
        """See ``SignsIn``."""
        return await self._sign_in(passkey, passkey.tenant_id, passkey.account_name, object_id)

    async def type_in(self, typed: Typed, tenant_id: TenantId, object_id: ObjectId) -> SignInAttempt:
        """How it went with a pass or a password. Raises nothing of ours."""
        return await self._sign_in(typed, tenant_id, typed.account_name, object_id)

    async def _sign_in(
        self, credential: Passkey | Typed, tenant_id: str, account_name: str, object_id: ObjectId
    ) -> SignInAttempt:
        service = self._graph.public_sign_in(tenant_id)
        begun = service.begin(account_name)
        try:
            walked = await asyncio.to_thread(self._walk, credential, begun.address, begun.state)
            if walked.outcome is not SignInOutcome.SIGNED_IN:
                return self._attempt(walked.outcome, walked.detail)
            who = await service.whose(begun, walked.address)
        except SignInRefusedError as error:
            return self._attempt(SignInOutcome.REFUSED, str(error))
        except (KitError, SignInUnreachableError) as error:
            return self._attempt(SignInOutcome.NOT_TRIED, str(error))
        if who != object_id:
            return self._attempt(SignInOutcome.REFUSED, "It signed in as another account.")
        return self._attempt(SignInOutcome.SIGNED_IN)

    def _attempt(self, outcome: SignInOutcome, detail: str = "") -> SignInAttempt:
        return SignInAttempt(outcome=outcome, detail=plain(detail)[:_LONGEST_DETAIL].strip(), at=self._clock())

    def _walk(self, credential: Passkey | Typed, address: str, state: str) -> _Walked:
        """In a thread: the browser is waited for. Raises ``KitError``."""
        settings = self._settings
        arguments = (*browser_arguments(settings), "--lang=en-US")
        look = _look_for(credential)
        passkey = credential if isinstance(credential, Passkey) else None
        with Browser(passkey, program=settings.browser, headless=True, arguments=arguments) as browser:
            session = browser.open(address)
            until = time.monotonic() + WALKS_FOR_SECONDS
            title = ""
            while time.monotonic() < until:
                here = _address(browser, session)
                if _is_back(here, state):
                    return _Walked(SignInOutcome.SIGNED_IN, address=here)
                seen: dict[str, Any] = browser.evaluate(look, session) or {}
                if seen.get("gone"):
                    # The address may just have changed to the one that nothing listens at.
                    here = _address(browser, session)
                    if _is_back(here, state):
                        return _Walked(SignInOutcome.SIGNED_IN, address=here)
                    return _Walked(SignInOutcome.NOT_TRIED, "The sign-in page was not reached.")
                if seen.get("refused"):
                    return _Walked(SignInOutcome.REFUSED, str(seen["refused"]))
                if seen.get("typed") and isinstance(credential, Typed):
                    _type(browser, session, credential, str(seen["typed"]))
                title = str(seen.get("title") or title)
                time.sleep(_LOOKS_EVERY_SECONDS)
        return _Walked(SignInOutcome.PAGE_CHANGED, f"The sign-in came no further than a page titled: {title}")


def _look_for(credential: Passkey | Typed) -> str:
    """What is looked for on a page. It holds no secret."""
    typed = credential if isinstance(credential, Typed) else None
    names: dict[str, object] = {
        "SELECTORS": CLICKED_BEFORE_TYPING if typed else CLICKED,
        "TYPED": TYPED[typed.kind] if typed else (),
        "WALLS": WALLS,
        "CONFIRMS": CONFIRMS,
    }
    look = _LOOK
    for name, value in names.items():
        look = look.replace(name, json.dumps(value))
    return look


def _type(browser: Browser, session: str, typed: Typed, button: str) -> None:
    """Into the field that has the focus, as from a keyboard; then press the button."""
    browser.call("Input.insertText", {"text": typed.secret.get_secret_value()}, session)
    browser.evaluate(f"document.querySelector({json.dumps(button)}).click()", session)


def browser_arguments(settings: Settings) -> tuple[str, ...]:
    """What a browser of this deployment is started with. Only a simulated tenant's certificates go unchecked."""
    trusting = ("--ignore-certificate-errors",) if settings.profile == "sandbox" else ()
    return (*settings.browser_arguments, *trusting)


def _address(browser: Browser, session: str) -> str:
    """Where the page is, or was to go: of a page that cannot be loaded, the page itself does not know.

    Empty while one page takes another's place.
    """
    history = browser.ask("Page.getNavigationHistory", session=session)
    if history is None:
        return ""
    return str(history["entries"][history["currentIndex"]]["url"])


def _is_back(address: str, state: str) -> bool:
    parts = urlsplit(address)
    return (parts.hostname, parts.port) == ("localhost", None) and parse_qs(parts.query).get("state") == [state]
