"""How an application gets its answer through the browser: in the query, behind the ``#``, or in a form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from sandbox.directory.rows import Application
from sandbox.exchange import Answer, Exchange
from sandbox.identity.errors import SignInError
from sandbox.identity.pages import page

ResponseMode = Literal["query", "fragment", "form_post"]
_LOOPBACK = re.compile(r"(http://(?:localhost|127\.0\.0\.1))(?::\d+)?(/.*)?$", re.IGNORECASE)
_LONGEST_REDIRECT = 256


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """Where and how an application wants its answer."""

    redirect_uri: str
    mode: ResponseMode
    state: str | None

    def answer(self, parameters: dict[str, str]) -> Answer:
        """Send the browser there with these parameters, and the application's own ``state``."""
        if self.state is not None:
            parameters = parameters | {"state": self.state}
        if self.mode == "form_post":
            return page("form_post.html", scripted=True, action=self.redirect_uri, fields=parameters)
        return redirect(with_parameters(self.redirect_uri, parameters, fragment=self.mode == "fragment"))


@dataclass(slots=True)
class RefusalToApplication(Exception):  # noqa: N818 - an answer to send, not a fault here
    """A refusal that the application is told, because it can do something about it."""

    refusal: SignInError
    address: ReplyAddress

    def answer(self, exchange: Exchange) -> Answer:
        return self.address.answer(self.refusal.parameters(exchange))


def redirect(address: str) -> Answer:
    """Send the browser on, with GET."""
    return Answer(302, b"", {"Location": address, "Content-Type": "text/html; charset=utf-8"})


def with_parameters(address: str, parameters: dict[str, str], *, fragment: bool = False) -> str:
    """The address with parameters added to those that it may have."""
    parts = urlsplit(address)
    added = urlencode(parameters)
    if fragment:
        return urlunsplit(parts._replace(fragment=added))
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, added]))))


def is_registered(redirect_uri: str, registered: tuple[str, ...]) -> bool:
    """Whether an answer may go there: letter by letter one of these, but for the port of this machine's own address."""
    if len(redirect_uri) > _LONGEST_REDIRECT:
        return False
    return redirect_uri in registered or _portless(redirect_uri) in {_portless(uri) for uri in registered} - {None}


def kind_of(redirect_uri: str, application: Application) -> Literal["web", "public", "spa"] | None:
    """As what kind of platform the address was registered; None if it was not."""
    if is_registered(redirect_uri, application.redirect_uris):
        return "web"
    if is_registered(redirect_uri, application.public_redirect_uris):
        return "public"
    return "spa" if is_registered(redirect_uri, application.spa_redirect_uris) else None


def _portless(redirect_uri: str) -> str | None:
    if (match := _LOOPBACK.match(redirect_uri)) is None:
        return None
    return match[1].lower() + (match[2] or "/")
