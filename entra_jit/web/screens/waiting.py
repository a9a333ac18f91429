"""Waiting: what a worker has done by now for a person who is signed in, and where that leads to."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from entra_jit.identity.authorize import Verb, authorize
from entra_jit.operations.await_worker import await_worker
from entra_jit.web.changes import saved_address
from entra_jit.web.rendering import page
from entra_jit.web.screens.reveal_emergency import given_page
from entra_jit.web.security import local_path
from entra_jit.web.visitors import SignedIn, TheApp
from entra_jit.web.waiting import waiting_page

router = APIRouter()


@router.get("/waiting/{operation}/{errand_id}")
async def waiting(
    request: Request, visitor: SignedIn, app: TheApp, operation: str, errand_id: str, since: int = 0, back: str = "/"
) -> Response:
    """What came of it, or the page that looks again."""
    authorize(visitor.actor, Verb.AWAIT_WORKER)
    found = await await_worker(visitor.actor, app, operation, errand_id)
    if found is None:
        return await waiting_page(request, visitor, since, back)
    [result] = found
    if operation == "disconnect_tenant":
        return await page(request, visitor, "disconnected.html", outcome=result)
    if operation == "reveal_emergency_account":
        return await given_page(request, app, visitor, result)
    if operation == "repair_tenant":
        tenant = back.rpartition("/")[2]
        return await page(request, visitor, "repairs.html", tenant=tenant, repairs=result, is_done=True)
    leads_to = local_path(back)
    if operation == "save_configuration":
        leads_to = saved_address(leads_to, result)
    elif operation == "run_canary":
        leads_to = f"/grants/{result}"
    return RedirectResponse(leads_to, status_code=303)
