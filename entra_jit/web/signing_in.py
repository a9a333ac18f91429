"""Signing in with the MSP's own tenant, and out again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import SecretStr
from starlette.responses import RedirectResponse, Response

from entra_jit.identity import sessions
from entra_jit.identity.person_sign_in import LASTS, PersonSignIns, RoleSource
from entra_jit.web.rendering import page
from entra_jit.web.security import local_path
from entra_jit.web.visitors import SESSION_COOKIE, SignedIn, TheApp, cookie_of
from models.errors import SettingsError
from models.messages import TenantId

BEGUN_COOKIE = "__Host-entra-jit-sign-in"
CALLBACK = "/auth/callback"

router = APIRouter()


def sign_ins(app: TheApp) -> PersonSignIns:
    """How people sign in here. Raises ``SettingsError``."""
    settings = app.settings
    own = app.own_applications.get("sign_in")
    if own is None or settings.home_tenant is None:
        raise SettingsError(
            "ENTRA_JIT_HOME_TENANT and ENTRA_JIT_SIGN_IN__CLIENT_ID are not set, so that people cannot sign in."
        )
    return PersonSignIns(
        app.ledger,
        app.graph,
        own.connection(TenantId(str(settings.home_tenant)), "your organization"),
        RoleSource(settings.admin_group, settings.auditor_group),
    )


SignIns = Annotated[PersonSignIns, Depends(sign_ins)]


@router.get("/sign-in")
async def offer(request: Request, to: Annotated[str, Query()] = "/") -> Response:
    """The one page that a person sees who is not signed in."""
    return await page(request, None, "sign_in.html", to=local_path(to))


@router.get("/sign-in/begin")
async def begin(app: TheApp, ways: SignIns, *, to: str = "/", anew: bool = False) -> Response:
    """Send the browser to the sign-in service."""
    begun = await ways.begin(f"{app.settings.portal_url}{CALLBACK}", local_path(to), anew=anew, at=app.clock())
    answer = RedirectResponse(begun.address, status_code=303)
    _keep(answer, BEGUN_COOKIE, begun.cookie, seconds=round(LASTS.total_seconds()))
    return answer


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
    answer = RedirectResponse(local_path(finished.return_to), status_code=303)
    answer.delete_cookie(BEGUN_COOKIE, secure=True, httponly=True)
    _keep(answer, SESSION_COOKIE, finished.cookie)
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, app: TheApp, visitor: SignedIn) -> Response:
    """End this session."""
    if (cookie := cookie_of(request)) is not None:
        await sessions.end(app.ledger, cookie)
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(SESSION_COOKIE, secure=True, httponly=True)
    return answer


def _keep(answer: Response, name: str, cookie: SecretStr, *, seconds: int | None = None) -> None:
    answer.set_cookie(
        name, cookie.get_secret_value(), max_age=seconds, path="/", secure=True, httponly=True, samesite="lax"
    )
