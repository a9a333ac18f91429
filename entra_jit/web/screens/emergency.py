"""Emergency accounts: when each was last known to work, and who has seen what opens it."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from entra_jit.identity.authorize import Verb, may
from entra_jit.operations.drill_emergency_account import drill_emergency_account
from entra_jit.operations.list_emergency_accounts import list_emergency_accounts
from entra_jit.operations.rotate_emergency_account import rotate_emergency_account
from entra_jit.web.addresses import given, query
from entra_jit.web.navigation import Link
from entra_jit.web.rendering import page
from entra_jit.web.visitors import FreshlySignedIn, SignedIn, TheApp
from models.actor import Role

LINK = Link("/emergency", "Emergency accounts", 37, frozenset({Role.ADMIN, Role.AUDITOR, Role.EMERGENCY}))

PAGE = 50
"""Accounts, on one page."""

router = APIRouter()


@router.get("/emergency")
async def emergency(
    request: Request, visitor: SignedIn, app: TheApp, tenant: str = "", after: str | None = None
) -> Response:
    """By tenant; those that need attention first. ``tenant``: part of a name."""
    found = await list_emergency_accounts(visitor.actor, app, search=given(tenant), after=after, limit=PAGE)
    return await page(
        request,
        visitor,
        "emergency.html",
        tenants=[(name, list(accounts)) for name, accounts in groupby(found, key=lambda one: one.tenant)],
        search=tenant,
        following=found.following and query(tenant=tenant, after=found.following),
        is_first=after is None,
        group=app.settings.emergency_group,
        may_reveal=may(visitor.actor, Verb.REVEAL_EMERGENCY_ACCOUNT),
        now=app.clock(),
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
