"""Configuration: the whole of it as a file; what a change would do, before it is saved; and saving it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import SecretStr, ValidationError
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from entra_jit.identity.authorize import Verb, authorize
from entra_jit.operations.export_configuration import export_configuration
from entra_jit.operations.list_changes import list_changes
from entra_jit.operations.preview_change import PreviewedChange, preview_change
from entra_jit.operations.save_change import save_change
from entra_jit.policy.configuration_edits import read_edits
from entra_jit.policy.roles import find_role, is_privileged
from entra_jit.web.changes import PREVIEW, editing, preview_address, saved_address
from entra_jit.web.navigation import Link
from entra_jit.web.rendering import page
from entra_jit.web.security import local_path
from entra_jit.web.visitors import FreshlySignedIn, SignedIn, TheApp, Visitor
from entra_jit.web.waiting import wait_for
from models.actor import Role
from models.configuration_plan import ChangedMeanwhileError, ConfigurationPlan
from models.errors import BadInputError, StillWorkingError

LINK = Link("/configuration", "Configuration", 70, frozenset({Role.ADMIN, Role.AUDITOR}))

SECRET = "secret_"
"""How the fields of secrets begin; a client id follows."""

router = APIRouter()


@router.get("/configuration")
async def configuration(request: Request, visitor: SignedIn, app: TheApp) -> Response:
    """What is in force, as `apply` reads it."""
    now = await editing(visitor, app)
    content = await export_configuration(visitor.actor, app) if now.shown.number else ""
    changes = await list_changes(visitor.actor, app)
    return await page(
        request, visitor, "configuration.html", now_is=now, shown=now.shown, content=content, changes=changes
    )


@router.get("/configuration.yaml")
async def export(visitor: SignedIn, app: TheApp) -> Response:
    """The same, to be kept."""
    content = await export_configuration(visitor.actor, app)
    headers = {"Content-Disposition": 'attachment; filename="msp.yaml"'}
    return Response(content, media_type="application/yaml; charset=utf-8", headers=headers)


@router.get(PREVIEW)
async def preview(
    request: Request, visitor: FreshlySignedIn, app: TheApp, edits: str, version: int, back: str = "/"
) -> Response:
    """Who gains, who loses, and which grants end. ``version``: what the person had before them."""
    authorize(visitor.actor, Verb.PLAN_CONFIGURATION)
    changes = read_edits(edits)
    try:
        found = await preview_change(visitor.actor, app, changes)
    except BadInputError as error:
        lines = str(error).splitlines()
        return await page(request, visitor, "change_refused.html", status=422, lines=lines, back=local_path(back))
    if found.before.number != version:
        return await _conflict(request, visitor, found, edits, back)
    return await _page(request, visitor, found, edits, back)


@router.post("/configuration/save")
async def save(
    request: Request,
    visitor: FreshlySignedIn,
    app: TheApp,
    edits: Annotated[str, Form()],
    version: Annotated[int, Form()],
    agreed: Annotated[str, Form()],
    reason: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "/",
) -> Response:
    """Save what was shown. What is refused is said there, and what was filled in is kept, but for secrets."""
    authorize(visitor.actor, Verb.APPLY_CONFIGURATION)
    changes = read_edits(edits)
    try:
        event_id = await save_change(
            visitor.actor,
            app,
            changes,
            based_on=version,
            reason=reason,
            agreed=_agreed(agreed),
            secrets=_secrets(await request.form()),
        )
    except ChangedMeanwhileError:
        return await _conflict(request, visitor, await preview_change(visitor.actor, app, changes), edits, back)
    except BadInputError as error:
        found = await preview_change(visitor.actor, app, changes)
        return await _page(request, visitor, found, edits, back, reason=reason, refused=str(error))
    except StillWorkingError as error:
        return wait_for(request, error, local_path(back))
    return RedirectResponse(saved_address(local_path(back), event_id), status_code=303)


def _agreed(text: str) -> ConfigurationPlan:
    try:
        return ConfigurationPlan.model_validate_json(text)
    except ValidationError:
        raise BadInputError("What was agreed to cannot be read.") from None


def _secrets(form: FormData) -> dict[str, SecretStr]:
    """What was entered, by client id. It is told to workers, sealed, and kept nowhere here."""
    return {
        name.removeprefix(SECRET): SecretStr(value.strip())
        for name, value in form.items()
        if name.startswith(SECRET) and isinstance(value, str) and value.strip()
    }


async def _page(
    request: Request,
    visitor: Visitor,
    found: PreviewedChange,
    edits: str,
    back: str,
    *,
    reason: str = "",
    refused: str | None = None,
) -> Response:
    return await page(
        request,
        visitor,
        "preview.html",
        status=422 if refused else 200,
        found=found,
        plan=found.plan,
        agreed=found.plan.model_dump_json(),
        privileged=_is_privileged,
        edits=edits,
        back=local_path(back),
        reason=reason,
        refused=refused,
    )


async def _conflict(request: Request, visitor: Visitor, found: PreviewedChange, edits: str, back: str) -> Response:
    again = preview_address(read_edits(edits), found.before.number, local_path(back))
    return await page(request, visitor, "conflict.html", status=409, found=found, back=local_path(back), again=again)


def _is_privileged(name: str) -> bool:
    """Whether what is given is a privileged role, by the name that a plan has; a security group is none."""
    try:
        return is_privileged(find_role(name.removeprefix("custom role ")))
    except BadInputError:
        return False
