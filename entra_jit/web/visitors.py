"""Who asks for a page: the session's person, as an actor for ``operations``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.identity import sessions
from entra_jit.identity.sessions import Session
from entra_jit.web.security import SAFE, check_form, csrf_token, local_path
from models.actor import Actor, Role
from models.errors import RefusedError

SESSION_COOKIE = "__Host-entra-jit"


@dataclass(frozen=True)
class Visitor:
    """A person who is signed in. Pass ``actor`` to operations; they decide what the person may do."""

    actor: Actor
    session: Session
    csrf: str
    """What every form carries in its field ``csrf``."""
    is_fresh: bool
    """The person has proved who they are in the last five minutes."""

    @property
    def technician(self) -> str | None:
        """What the configuration calls them; None: they are no technician."""
        return self.session.technician

    def has(self, *roles: Role) -> bool:
        """Whether they have one of these roles: for what a page offers, never for what it does."""
        return not self.actor.roles.isdisjoint(roles)


class SignInNeededError(RefusedError):
    """The page is for people who are signed in, or for those who have just proved it. It becomes a redirect."""

    http_status = HTTPStatus.UNAUTHORIZED
    is_attempt = False

    def __init__(self, return_to: str, *, anew: bool = False) -> None:
        super().__init__("Sign in first.")
        self.return_to = return_to
        self.anew = anew


class NoTechnicianError(RefusedError):
    """Only technicians have grants of their own."""

    http_status = HTTPStatus.FORBIDDEN
    advice = "An admin adds you to the configuration."

    def __init__(self) -> None:
        super().__init__("You are not a technician here.")


def technician_of(visitor: Visitor) -> str:
    """What the configuration calls the person. Raises ``NoTechnicianError``."""
    if visitor.technician is None:
        raise NoTechnicianError
    return visitor.technician


def app_of(request: Request) -> App:
    """The composition root of this process."""
    app: App = request.app.state.app
    return app


def cookie_of(request: Request) -> SecretStr | None:
    """The session's cookie, as the browser sent it."""
    value = request.cookies.get(SESSION_COOKIE)
    return SecretStr(value) if value else None


async def visitor(request: Request) -> Visitor:
    """The person who is signed in. A form is checked for its token here, so that no screen can forget it.

    Raises ``SignInNeededError`` or ``ForeignFormError``.
    """
    cookie = cookie_of(request)
    found = await visitor_with(request, cookie) if cookie else None
    if found is None:
        raise SignInNeededError(page_of(request))
    if request.method not in SAFE:
        await check_form(request, found.csrf)
    return found


async def visitor_with(request: Request, cookie: SecretStr) -> Visitor | None:
    """The person whose session this is the cookie of; None: it is over."""
    app = app_of(request)
    now: datetime = app.clock()
    session = await sessions.find(app.ledger, cookie, now)
    if session is None:
        return None
    found = Visitor(session.actor, session, csrf_token(cookie), session.is_fresh(now))
    request.state.visitor = found  # for an error's page
    return found


async def fresh_visitor(request: Request, found: Annotated[Visitor, Depends(visitor)]) -> Visitor:
    """The same for what shows a secret or ends things for many. Raises ``SignInNeededError`` where it was long ago."""
    if not found.is_fresh:
        raise SignInNeededError(page_of(request), anew=True)
    return found


def page_of(request: Request) -> str:
    """The page to come back to after a sign-in: this one, or for a form the one that it stood on."""
    if request.method in SAFE:
        query = f"?{request.url.query}" if request.url.query else ""
        return local_path(f"{request.url.path}{query}")
    origin, referer = request.app.state.app.settings.portal_url, request.headers.get("referer", "")
    if not referer.startswith(f"{origin}/"):
        return "/"
    parts = urlsplit(referer)
    return local_path(f"{parts.path}?{parts.query}" if parts.query else parts.path)


SignedIn = Annotated[Visitor, Depends(visitor)]
"""A parameter of a route: who asks, signed in."""

FreshlySignedIn = Annotated[Visitor, Depends(fresh_visitor)]
"""A parameter of a route: who asks, signed in at most five minutes ago."""

TheApp = Annotated[App, Depends(app_of)]
"""A parameter of a route: what operations take."""
