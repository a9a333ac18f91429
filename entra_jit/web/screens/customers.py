"""Customers: what is open for the person who looks, what waits, and where more can be asked for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from entra_jit.operations.list_customers import list_customers, set_favourite
from entra_jit.web.addresses import query
from entra_jit.web.live import Live
from entra_jit.web.navigation import Link
from entra_jit.web.rendering import fragment, page
from entra_jit.web.security import local_path
from entra_jit.web.visitors import SignedIn, TheApp, technician_of
from models.actor import Role

LINK = Link("/", "Customers", 10, frozenset({Role.TECHNICIAN}))
TILES = "/tiles"

router = APIRouter()


@router.get("/")
async def customers(
    request: Request, visitor: SignedIn, app: TheApp, q: str = "", after: str | None = None
) -> Response:
    """The first page after signing in. ``q``: words to search by; ``after``: where a page of the list begins.

    Who is no technician has nothing there, and begins where they look after others.
    """
    mine = visitor.technician
    if mine is None and visitor.has(Role.ADMIN, Role.AUDITOR):
        return RedirectResponse("/open", status_code=303)
    if mine is None and visitor.has(Role.EMERGENCY):
        return RedirectResponse("/emergency", status_code=303)
    found = await list_customers(visitor.actor, app, technician=mine, search=q, after=after) if mine else None
    return await page(
        request,
        visitor,
        "customers.html",
        customers=found,
        q=q,
        is_first=after is None,
        live=f"{TILES}{query(q=q, after=after)}",
        now=app.clock(),
    )


@router.get(TILES)
async def tiles(
    request: Request, visitor: SignedIn, app: TheApp, q: str = "", after: str | None = None
) -> StreamingResponse:
    """The list again, each time that something happens to a request of the person who looks."""
    mine = technician_of(visitor)
    follower: Live = request.app.state.live

    async def render() -> str:
        found = await list_customers(visitor.actor, app, technician=mine, search=q, after=after)
        is_first = after is None
        return fragment(request, visitor, "_tiles.html", customers=found, q=q, is_first=is_first, now=app.clock())

    return StreamingResponse(
        follower.own(visitor, render), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


@router.post("/customers/{tenant}/favourite")
async def favourite(
    visitor: SignedIn, app: TheApp, tenant: str, wanted: Annotated[bool, Form()], back: Annotated[str, Form()] = "/"
) -> Response:
    """Keep the customer among the first, or no longer."""
    await set_favourite(visitor.actor, app, tenant=tenant, technician=technician_of(visitor), wanted=wanted)
    return RedirectResponse(local_path(back), status_code=303)
