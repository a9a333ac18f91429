"""My profile: who I am here, and where I am signed in."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from entra_jit.operations.end_sessions import end_sessions
from entra_jit.operations.list_sessions import list_sessions
from entra_jit.web.rendering import page
from entra_jit.web.visitors import SignedIn, TheApp

router = APIRouter()


@router.get("/profile")
async def profile(request: Request, visitor: SignedIn, app: TheApp) -> Response:
    """Roles, and each browser that is signed in."""
    sessions = await list_sessions(visitor.actor, app, visitor.actor.id)
    return await page(request, visitor, "profile.html", sessions=sessions, now=app.clock())


@router.post("/profile/sessions/end")
async def end_one(visitor: SignedIn, app: TheApp, session: Annotated[UUID, Form()]) -> Response:
    """Sign out in one browser."""
    await end_sessions(visitor.actor, app, visitor.actor.id, only=session)
    return RedirectResponse("/profile", status_code=303)


@router.post("/profile/sessions/end-all")
async def end_all(visitor: SignedIn, app: TheApp) -> Response:
    """Sign out everywhere, here too."""
    await end_sessions(visitor.actor, app, visitor.actor.id)
    return RedirectResponse("/sign-in", status_code=303)
