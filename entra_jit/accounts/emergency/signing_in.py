"""Trying an emergency credential: a browser without a window signs in with it, and ``/me`` says as whom.

One small interface, ``SignsIn``: how a passkey is used is known here and in ``emergency_kit`` alone.

Microsoft's sign-in page is no interface, and may look different tomorrow. So what the page says against the credential
is told apart from a page that we do not find our way through.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from entra_jit.emergency_kit import Browser, KitError, Passkey
from entra_jit.graph import Graph, SignInRefusedError, SignInUnreachableError
from entra_jit.settings import Settings
from models.messages import ObjectId, SignInAttempt, SignInOutcome
from models.plain_text import plain

WALKS_FOR_SECONDS = 60.0
_LOOKS_EVERY_SECONDS = 0.25
_LONGEST_DETAIL = 200

CLICKED = (
    "button[value='passkey']",  # the sandbox's
    "div[data-value='FidoKey']",  # Microsoft's list of methods
    "div[data-test-cred-id='7']",
    "#idA_PWD_SwitchToFido",  # beside the question for a password
    "#idA_PWD_SwitchToCredPicker",  # the way to the list
    "#signInAnotherWay",
    "#idBtn_Back",  # "Stay signed in?": no
)
"""What is clicked where it is shown, in this order, each once a page. Seen in copies of Microsoft's page and in
programs that click there; never tried on a live one."""

CONFIRMS = "Are you trying to sign in to"
"""Microsoft's question about a program on a person's own machine. Its main button is clicked."""

_LOOK = """
(() => {
  if (location.protocol === "chrome-error:") return {gone: true};
  const text = document.body ? document.body.innerText : "";
  const refused = text.match(/[^\\n]*AADSTS\\d+[^\\n]*/);
  if (refused) return {refused: refused[0]};
  for (const selector of SELECTORS) {
    const found = document.querySelector(selector);
    if (found && found.offsetParent !== null && !found.disabled && !found.dataset.tried) {
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
        service = self._graph.public_sign_in(passkey.tenant_id)
        begun = service.begin(passkey.account_name)
        try:
            walked = await asyncio.to_thread(self._walk, passkey, begun.address, begun.state)
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

    def _walk(self, passkey: Passkey, address: str, state: str) -> _Walked:
        """In a thread: the browser is waited for. Raises ``KitError``."""
        settings = self._settings
        arguments = (*browser_arguments(settings), "--lang=en-US")
        look = _LOOK.replace("SELECTORS", json.dumps(CLICKED)).replace("CONFIRMS", json.dumps(CONFIRMS))
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
                title = str(seen.get("title") or title)
                time.sleep(_LOOKS_EVERY_SECONDS)
        return _Walked(SignInOutcome.PAGE_CHANGED, f"The sign-in came no further than a page titled: {title}")


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
