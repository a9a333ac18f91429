"""Emergency accounts: when each was last known to work. No credential is shown here, to anyone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from entra_jit.identity.authorize import Verb, may
from entra_jit.operations.drill_emergency_account import drill_emergency_account
from entra_jit.operations.list_emergency_accounts import list_emergency_accounts
from entra_jit.operations.rotate_emergency_account import rotate_emergency_account
from entra_jit.web.navigation import Link
from entra_jit.web.rendering import page
from entra_jit.web.visitors import FreshlySignedIn, SignedIn, TheApp
from models.actor import Role

LINK = Link("/emergency", "Emergency accounts", 37, frozenset({Role.ADMIN, Role.AUDITOR}))

router = APIRouter()


@router.get("/emergency")
async def emergency(request: Request, visitor: SignedIn, app: TheApp) -> Response:
    """By tenant; what needs attention first."""
    found = await list_emergency_accounts(visitor.actor, app)
    return await page(
        request,
        visitor,
        "emergency.html",
        accounts=sorted(found, key=lambda one: not one.needs_attention),
        may_drill=may(visitor.actor, Verb.DRILL_EMERGENCY_ACCOUNT),
        may_rotate=may(visitor.actor, Verb.ROTATE_EMERGENCY_ACCOUNT),
    )


@router.post("/emergency/drill")
async def drill(
    visitor: SignedIn, app: TheApp, tenant: Annotated[str, Form()], number: Annotated[int, Form()]
) -> Response:
    """Try the sealed credential."""
    await drill_emergency_account(visitor.actor, app, tenant, number)
    return RedirectResponse("/emergency", status_code=303)


@router.post("/emergency/rotate")
async def rotate(
    visitor: FreshlySignedIn, app: TheApp, tenant: Annotated[str, Form()], number: Annotated[int, Form()]
) -> Response:
    """Give the account another credential. What is in kits is worthless then, so the sign-in must be fresh."""
    await rotate_emergency_account(visitor.actor, app, tenant, number)
    return RedirectResponse("/emergency", status_code=303)
