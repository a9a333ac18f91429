"""Customers: what is open for the person who looks, what waits, and where more can be asked for."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from entra_jit.operations.list_open import list_open
from entra_jit.web.navigation import Link
from entra_jit.web.rendering import page
from entra_jit.web.visitors import SignedIn, TheApp
from models.selections import OpenGrants

LINK = Link("/", "Customers", 10)

router = APIRouter()


@router.get("/")
async def customers(request: Request, visitor: SignedIn, app: TheApp) -> Response:
    """The first page after signing in."""
    mine = visitor.technician
    opened = await list_open(visitor.actor, app, OpenGrants(technician=mine)) if mine else []
    grants = [one.status for one in opened]
    return await page(request, visitor, "customers.html", grants=grants, now=app.clock())
