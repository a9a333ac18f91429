"""What every answer and every form of the portal is held to, before any page of it is asked.

* a host that is not ours is refused: cookies and links would be made for it;
* what changes something comes from our own pages: by ``Sec-Fetch-Site``, else ``Origin``, and by the session's token;
* every page has a content security policy of its own, whose nonce an injected script or htmx attribute lacks.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from hashlib import sha256
from http import HTTPStatus
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entra_jit.settings import Settings
from models.errors import RefusedError

SAFE = frozenset({"GET", "HEAD"})
STATIC = "/static/"
CSRF_FIELD = "csrf"


class ForeignFormError(RefusedError):
    """The form was not sent from a page of ours in this session."""

    http_status = HTTPStatus.FORBIDDEN
    advice = "Nothing was changed. Open the page again and repeat it there."


class Guard:
    """ASGI middleware in front of everything. What fails below becomes the answer that ``explain`` gives."""

    def __init__(
        self, app: ASGIApp, settings: Settings, explain: Callable[[Request, Exception], Awaitable[Response]]
    ) -> None:
        self._app = app
        self._explain = explain
        self._origin = settings.portal_url
        self._host = urlsplit(settings.portal_url).netloc
        self._login = "{0.scheme}://{0.netloc}".format(urlsplit(settings.login_url))
        self._frames = " ".join(settings.frame_ancestors) or "'none'"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with a nonce, and put the headers on what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = scope.setdefault("state", {})["nonce"] = secrets.token_urlsafe(16)
        has_begun = False

        async def with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                self._dress(MutableHeaders(scope=message), scope["path"], nonce)
            await send(message)

        refused = self._refuse(scope["method"], Headers(scope=scope))
        try:
            await (refused or self._app)(scope, receive, with_headers)
        except Exception as error:
            if has_begun:
                raise
            await (await self._explain(Request(scope), error))(scope, receive, with_headers)

    def _refuse(self, method: str, headers: Headers) -> PlainTextResponse | None:
        if headers.getlist("host") != [self._host]:
            return PlainTextResponse(f"This is not the address of this portal. Use {self._origin}/", 421)
        if method in SAFE:
            return None
        site = headers.get("sec-fetch-site")
        ours = site in {"same-origin", "none"} if site is not None else headers.get("origin") == self._origin
        # A browser that sends both has them agree; `none` is a form that a person opened by hand.
        if not ours or headers.get("origin", self._origin) != self._origin:
            return PlainTextResponse("Another site sent this form. Nothing was changed.", HTTPStatus.FORBIDDEN)
        return None

    def _dress(self, headers: MutableHeaders, path: str, nonce: str) -> None:
        headers["Content-Security-Policy"] = "; ".join(
            (
                "default-src 'none'",
                f"script-src 'nonce-{nonce}'",
                "style-src 'self'",
                "img-src 'self' data:",
                "connect-src 'self'",
                # A form of ours may be answered by sending the person to sign in again.
                f"form-action 'self' {self._login}",
                f"frame-ancestors {self._frames}",
                "base-uri 'none'",
            )
        )
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if self._origin.startswith("https:"):
            headers["Strict-Transport-Security"] = "max-age=31536000"
        headers["Cache-Control"] = "max-age=3600" if path.startswith(STATIC) else "no-store"


def csrf_token(cookie: SecretStr) -> str:
    """The token of a session's forms. It follows from the cookie, and does not give it away."""
    return hmac.new(cookie.get_secret_value().encode(), b"csrf", sha256).hexdigest()


async def check_form(request: Request, expected: str) -> None:
    """Raises ``ForeignFormError`` unless the form carries the session's token."""
    given = (await request.form()).get(CSRF_FIELD)
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), expected.encode()):
        raise ForeignFormError("This form belongs to another session, or to none.")


def local_path(text: str | None) -> str:
    """``text`` where it is a path of this portal, else ``/``: a link must not lead away after the sign-in."""
    if not text or not text.isascii() or not text.isprintable() or "\\" in text:
        return "/"
    parts = urlsplit(text)
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith("/") and not text.startswith("//")
    return text if is_ours else "/"
