"""Reveal: the credential of one's own open grant, once, after a fresh sign-in."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from entra_jit.app import App
from entra_jit.operations.renew_credential import renew_credential
from entra_jit.operations.reveal_credential import reveal_credential
from entra_jit.operations.show_grant import show_grant
from entra_jit.web.rendering import page
from entra_jit.web.visitors import FreshlySignedIn, TheApp, technician_of

router = APIRouter()

ADMIN_CENTER = "https://entra.microsoft.com/"


def _door(app: App) -> str:
    """Where the technician signs in with it."""
    return ADMIN_CENTER if app.settings.profile == "production" else app.settings.login_url


@router.get("/credentials/{request_id:path}")
async def before(request: Request, visitor: FreshlySignedIn, app: TheApp, request_id: str) -> Response:
    """What is known of the credential, and the button that shows it. Looking at this shows nothing."""
    shown = await show_grant(visitor.actor, app, request_id)
    values: dict[str, Any] = {"shown": shown, "grant": shown.status, "revealed": None, "now": app.clock()}
    return await page(request, visitor, "reveal.html", **values)


@router.post("/credentials/{request_id:path}")
async def show(request: Request, visitor: FreshlySignedIn, app: TheApp, request_id: str) -> Response:
    """The credential. This page cannot be opened again: it is the answer to a form, and nothing keeps it."""
    account, revealed = await reveal_credential(visitor.actor, app, request_id, technician_of(visitor))
    shown = await show_grant(visitor.actor, app, request_id)
    values: dict[str, Any] = {
        "shown": shown,
        "grant": shown.status,
        "account": account,
        "revealed": revealed,
        "door": _door(app),
        "now": app.clock(),
    }
    return await page(request, visitor, "reveal.html", **values)


@router.post("/renewals/{request_id:path}")
async def renew(visitor: FreshlySignedIn, app: TheApp, request_id: str) -> Response:
    """Make another one; the one before stops working."""
    await renew_credential(visitor.actor, app, request_id)
    return RedirectResponse(f"/credentials/{request_id}", status_code=303)
