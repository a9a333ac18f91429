"""Connecting a customer: the ways to Microsoft and back, for an admin, and for an invited administrator of theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import SecretStr
from starlette.responses import RedirectResponse, Response

from entra_jit.app import App
from entra_jit.identity.authorize import Verb, authorize
from entra_jit.identity.sessions import new_cookie
from entra_jit.operations.accept_invitation import accept_invitation
from entra_jit.operations.await_worker import await_worker
from entra_jit.operations.begin_connection import begin_connection
from entra_jit.operations.finish_connection import finish_connection
from entra_jit.operations.finish_invited import finish_invited
from entra_jit.operations.show_tenant import show_tenant
from entra_jit.web import visitors
from entra_jit.web.rendering import page
from entra_jit.web.visitors import FreshlySignedIn, TheApp, Visitor
from entra_jit.web.waiting import CALLBACK, waiting_page
from models.actor import INVITED
from models.connections import BegunConnection, NextPage, TenantConnection
from models.errors import NotFoundError, RefusedError

COOKIE = "__Host-entra-jit-connect"
OWN, GUEST = "own", "invited"
"""Whose connection the cookie is about: it begins with one of them."""

LASTS = timedelta(minutes=15)

router = APIRouter()


class NoConnectionError(RefusedError):
    """This browser connects nothing."""

    advice = "Begin again, in one browser. It takes 15 minutes at most."
    is_attempt = False


@router.post("/connect")
async def begin(visitor: FreshlySignedIn, app: TheApp, domain: Annotated[str, Form()]) -> Response:
    """To the first consent."""
    browser = new_cookie()
    begun = await begin_connection(visitor.actor, app, domain.strip(), _callback(app), browser)
    return _leave(OWN, browser, begun)


@router.get("/connect")
async def invited(request: Request, invitation: str) -> Response:
    """What the customer's administrator sees who follows the link. They need no account here."""
    return await page(request, None, "connect.html", invitation=invitation)


@router.post("/connect/invited")
async def begin_invited(app: TheApp, invitation: Annotated[SecretStr, Form()]) -> Response:
    """To the first consent, by a link. The form has no session whose token it could carry; what it begins counts for
    nothing before an administrator of that very tenant has consented."""
    browser = new_cookie()
    begun = await accept_invitation(INVITED, app, invitation, _callback(app), browser)
    return _leave(GUEST, browser, begun)


@router.get(CALLBACK)
async def come_back(request: Request, app: TheApp) -> Response:
    """Microsoft sends the browser here, after each consent and after the sign-in."""
    visitor, browser = await _begun_here(request)
    answer = dict(request.query_params)
    if visitor is None:
        found = await finish_invited(INVITED, app, browser, answer)
    else:
        found = await finish_connection(visitor.actor, app, browser, answer)
    return await _go_on(request, app, visitor, found)


@router.get("/connect/waiting/{operation}/{errand_id}")
async def wait(request: Request, app: TheApp, operation: str, errand_id: str, since: int = 0) -> Response:
    """A worker tries whether both applications have what they need, which Microsoft may take two minutes to show."""
    visitor, _ = await _begun_here(request)
    if operation != ("finish_connection" if visitor else "finish_invited"):
        raise NoConnectionError("No connection was begun in this browser.")
    found = await await_worker(visitor.actor if visitor else INVITED, app, operation, errand_id)
    if found is None:
        return await waiting_page(request, visitor, since)
    return await _go_on(request, app, visitor, found[0])


async def _begun_here(request: Request) -> tuple[Visitor | None, SecretStr]:
    """Who began a connection in this browser, and its secret. None: an invited administrator, who is no one here."""
    whose, _, browser = request.cookies.get(COOKIE, "").partition(".")
    if whose == GUEST:
        return None, SecretStr(browser)
    if whose != OWN:
        raise NoConnectionError("No connection was begun in this browser.")
    visitor = await visitors.visitor(request)
    authorize(visitor.actor, Verb.CONNECT_TENANT)
    return visitor, SecretStr(browser)


async def _go_on(request: Request, app: App, visitor: Visitor | None, found: NextPage | TenantConnection) -> Response:
    """To the next page at Microsoft, or, once the tenant is connected, to what comes then."""
    if isinstance(found, NextPage):
        return RedirectResponse(found.address, status_code=303)
    if visitor is None:
        done: Response = await page(request, None, "connected.html", connection=found)
    else:
        done = RedirectResponse(await _following(visitor, app, found), status_code=303)
    done.delete_cookie(COOKIE, secure=True, httponly=True)
    return done


async def _following(visitor: Visitor, app: App, connection: TenantConnection) -> str:
    """Where a tenant goes on that is connected: to its page, or to be set up."""
    try:
        shown = await show_tenant(visitor.actor, app, connection.tenant_id)
    except NotFoundError:
        shown = None
    return f"/tenants/{shown.name}" if shown and shown.is_active else f"/add-customer/{connection.tenant_id}"


def _callback(app: App) -> str:
    return f"{app.settings.portal_url}{CALLBACK}"


def _leave(whose: str, browser: SecretStr, begun: BegunConnection) -> Response:
    answer = RedirectResponse(begun.address, status_code=303)
    answer.set_cookie(
        COOKIE,
        f"{whose}.{browser.get_secret_value()}",
        max_age=round(LASTS.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return answer
