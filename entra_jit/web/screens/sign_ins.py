"""Waiting sign-ins: who signed in and is nothing here yet, for an admin to accept."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from entra_jit.app import App
from entra_jit.operations.accept_sign_in import accept_sign_in
from entra_jit.operations.list_sign_ins import list_sign_ins
from entra_jit.web.navigation import Link
from entra_jit.web.rendering import page
from entra_jit.web.security import local_path
from entra_jit.web.visitors import SignedIn, TheApp, Visitor
from models.actor import Role

router = APIRouter()


async def _waiting(visitor: Visitor, app: App) -> int:
    return len(await list_sign_ins(visitor.actor, app))


LINK = Link("/sign-ins", "Sign-ins", 90, frozenset({Role.ADMIN, Role.AUDITOR}), _waiting)


@router.get("/sign-ins")
async def sign_ins(request: Request, visitor: SignedIn, app: TheApp) -> Response:
    """The longest waiting first."""
    waiting = await list_sign_ins(visitor.actor, app)
    return await page(
        request,
        visitor,
        "sign_ins.html",
        waiting=waiting,
        may_accept=visitor.has(Role.ADMIN),
        is_a_file=app.settings.configuration_is_a_file,
        now=app.clock(),
    )


@router.post("/sign-ins/accept")
async def accept(
    visitor: SignedIn,
    app: TheApp,
    person: Annotated[str, Form()],
    name: Annotated[str, Form()],
    back: Annotated[str, Form()] = "/sign-ins",
) -> Response:
    """Make the person a technician."""
    await accept_sign_in(visitor.actor, app, person, name)
    return RedirectResponse(local_path(back), status_code=303)
