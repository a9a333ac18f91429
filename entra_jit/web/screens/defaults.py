"""Defaults: the terms of tenants that say nothing else."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from entra_jit.identity.authorize import Verb, authorize
from entra_jit.policy.configuration_edits import SetDefaults
from entra_jit.web.changes import editing, to_preview
from entra_jit.web.rendering import page
from entra_jit.web.tenant_terms import CANARIES, CREDENTIALS, Limits, limits_of
from entra_jit.web.visitors import SignedIn, TheApp

router = APIRouter()


class Defaults(Limits):
    """What the form sends."""

    version: int
    follow: str = ""


@router.get("/configuration/defaults")
async def defaults(request: Request, visitor: SignedIn, app: TheApp) -> Response:
    """The form."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    now_is = await editing(visitor, app)
    terms = Limits(**limits_of(now_is.shown.configuration.defaults))
    return await page(
        request, visitor, "defaults.html", now_is=now_is, terms=terms, credentials=CREDENTIALS, canaries=CANARIES
    )


@router.post("/configuration/defaults")
async def set_defaults(visitor: SignedIn, form: Annotated[Defaults, Form()]) -> Response:
    """To the preview, which says for each tenant what follows."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    edit = SetDefaults.model_validate({**form.limits(), "follow": bool(form.follow)})
    return to_preview([edit], form.version, "/configuration")
