"""Open now: every grant that is not proven closed, overdue ones on top; and the emergency stop."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from entra_jit.identity.authorize import Verb, may
from entra_jit.operations.list_emergency_accounts import list_emergency_accounts
from entra_jit.operations.list_holds import list_holds
from entra_jit.operations.list_open import list_open
from entra_jit.operations.stop_access import plan_stop, stop_access
from entra_jit.web.addresses import given, query
from entra_jit.web.navigation import Link
from entra_jit.web.rendering import page
from entra_jit.web.visitors import FreshlySignedIn, SignedIn, TheApp
from models.actor import Role
from models.errors import BadInputError
from models.selections import OpenGrants, OpenState

LINK = Link("/open", "Open now", 20, frozenset({Role.ADMIN, Role.AUDITOR}), attention=lambda counted: counted.open)

router = APIRouter()


@router.get("/open")
async def open_now(
    request: Request,
    visitor: SignedIn,
    app: TheApp,
    tenant: str = "",
    technician: str = "",
    state: str = "",
    ticket: str = "",
    after: str | None = None,
) -> Response:
    """What is due first comes first."""
    selection = OpenGrants(given(tenant), given(technician), _state(state), given(ticket))
    grants = await list_open(visitor.actor, app, selection, after=after)
    held = await list_holds(visitor.actor, app)
    chosen = {name: value for name, value in asdict(selection).items() if value}
    return await page(
        request,
        visitor,
        "open_now.html",
        grants=grants,
        selection=selection,
        is_chosen=bool(chosen),
        states=list(OpenState),
        stops=[hold for hold in held if hold.kind == "stop"],
        revealed=await list_emergency_accounts(visitor.actor, app, revealed_only=True),
        scope=query(tenant=selection.tenant, technician=None if selection.tenant else selection.technician),
        following=grants.following and query(**chosen, after=grants.following),
        is_first=after is None,
        may_end=may(visitor.actor, Verb.END_ACCESS),
        may_stop=may(visitor.actor, Verb.CLOSE_ALL),
        now=app.clock(),
    )


@router.get("/stop")
async def sure(
    request: Request, visitor: FreshlySignedIn, app: TheApp, tenant: str = "", technician: str = ""
) -> Response:
    """What the stop would do, before it is done."""
    plan = await plan_stop(visitor.actor, app, tenant=given(tenant), technician=given(technician))
    return await page(request, visitor, "stop.html", plan=plan, tenant=tenant, technician=technician)


@router.post("/stop")
async def stop(
    request: Request,
    visitor: FreshlySignedIn,
    app: TheApp,
    reason: Annotated[str, Form()],
    confirmation: Annotated[str, Form()],
    tenant: Annotated[str, Form()] = "",
    technician: Annotated[str, Form()] = "",
) -> Response:
    """Stop access, and show what is still open there."""
    stopped = await stop_access(
        visitor.actor,
        app,
        reason=reason,
        confirmation=confirmation,
        tenant=given(tenant),
        technician=given(technician),
    )
    if stopped.told == stopped.grants:
        return RedirectResponse(f"/open{query(tenant=given(tenant), technician=given(technician))}", status_code=303)
    every = app.settings.reconcile_every
    return await page(request, visitor, "stopped.html", stopped=stopped, reconciled_every=every)


def _state(text: str) -> OpenState | None:
    try:
        return OpenState(text) if text else None
    except ValueError:
        raise BadInputError("There is no such state.") from None
