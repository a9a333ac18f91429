"""Signing in with the MSP's own tenant, and out again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import SecretStr
from starlette.responses import RedirectResponse, Response

from entra_jit.app import App
from entra_jit.identity import sessions
from entra_jit.identity.person_sign_in import Finished
from entra_jit.web.rendering import page
from entra_jit.web.screens.reveal_emergency import give
from entra_jit.web.security import local_path
from entra_jit.web.visitors import SESSION_COOKIE, SignedIn, TheApp, cookie_of, visitor_with
from entra_jit.web.waiting import wait_for
from entra_jit.web.ways_in import BEGUN_COOKIE, CALLBACK, SignIns, keep_cookie, to_sign_in
from models.errors import EntraJitError, StillWorkingError

router = APIRouter()


@router.get("/sign-in")
async def offer(request: Request, to: Annotated[str, Query()] = "/") -> Response:
    """The one page that a person sees who is not signed in."""
    return await page(request, None, "sign_in.html", to=local_path(to))


@router.get("/sign-in/begin")
async def begin(app: TheApp, ways: SignIns, *, to: str = "/", anew: bool = False) -> Response:
    """Send the browser to the sign-in service."""
    return await to_sign_in(app, ways, local_path(to), anew=anew)


@router.get(CALLBACK)
async def come_back(request: Request, app: TheApp, ways: SignIns) -> Response:
    """The sign-in service sends the browser here."""
    begun = request.cookies.get(BEGUN_COOKIE)
    finished = await ways.finish(
        SecretStr(begun) if begun else None,
        dict(request.query_params),
        replaces=cookie_of(request),
        browser=request.headers.get("user-agent", ""),
        at=app.clock(),
    )
    if finished.about is None:
        answer: Response = RedirectResponse(local_path(finished.return_to), status_code=303)
    else:
        answer = await _reveal(request, app, finished)
    answer.delete_cookie(BEGUN_COOKIE, secure=True, httponly=True)
    keep_cookie(answer, SESSION_COOKIE, finished.cookie)
    return answer


async def _reveal(request: Request, app: App, finished: Finished) -> Response:
    """What the person signed in for. Refused or not, they are signed in now."""
    visitor = await visitor_with(request, finished.cookie)
    try:
        return await give(request, app, visitor, finished)
    except StillWorkingError as error:
        return wait_for(request, error, finished.return_to)
    except EntraJitError as error:
        explained: Response = await request.app.exception_handlers[EntraJitError](request, error)
        return explained


@router.post("/sign-out")
async def sign_out(request: Request, app: TheApp, visitor: SignedIn) -> Response:
    """End this session."""
    if (cookie := cookie_of(request)) is not None:
        await sessions.end(app.ledger, cookie)
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(SESSION_COOKIE, secure=True, httponly=True)
    return answer
