"""Holds: the pauses and stops in force; to be placed and lifted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from entra_jit.identity.authorize import Verb, may
from entra_jit.operations.lift_stop import lift_stop
from entra_jit.operations.list_holds import list_holds
from entra_jit.operations.pause_tenant import pause_tenant
from entra_jit.operations.resume_tenant import resume_tenant
from entra_jit.web.addresses import given
from entra_jit.web.navigation import Link
from entra_jit.web.rendering import page
from entra_jit.web.visitors import FreshlySignedIn, SignedIn, TheApp
from models.actor import Role

LINK = Link("/holds", "Holds", 35, frozenset({Role.ADMIN, Role.AUDITOR}), attention=lambda counted: counted.holds)

router = APIRouter()


@router.get("/holds")
async def holds(request: Request, visitor: SignedIn, app: TheApp) -> Response:
    """Stops first, then the oldest."""
    held = await list_holds(visitor.actor, app)
    return await page(
        request,
        visitor,
        "holds.html",
        held=held,
        may_pause=may(visitor.actor, Verb.PAUSE_TENANT),
        may_stop=may(visitor.actor, Verb.CLOSE_ALL),
        now=app.clock(),
    )


@router.post("/holds/pause")
async def pause(
    visitor: SignedIn, app: TheApp, tenant: Annotated[str, Form()], reason: Annotated[str, Form()]
) -> Response:
    """Hold provisioning of a tenant."""
    await pause_tenant(visitor.actor, app, tenant, reason)
    return RedirectResponse("/holds", status_code=303)


@router.post("/holds/resume")
async def resume(visitor: SignedIn, app: TheApp, tenant: Annotated[str, Form()]) -> Response:
    """Let provisioning of a tenant go on."""
    await resume_tenant(visitor.actor, app, tenant)
    return RedirectResponse("/holds", status_code=303)


@router.post("/holds/lift")
async def lift(
    visitor: FreshlySignedIn, app: TheApp, tenant: Annotated[str, Form()] = "", technician: Annotated[str, Form()] = ""
) -> Response:
    """Lift a stop."""
    await lift_stop(visitor.actor, app, tenant=given(tenant), technician=given(technician))
    return RedirectResponse("/holds", status_code=303)
