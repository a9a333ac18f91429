"""Trouble: what needs an operator, with what can be done about it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from entra_jit.app import App
from entra_jit.identity.authorize import Verb, may
from entra_jit.operations.clear_alarm import clear_alarm
from entra_jit.operations.list_alarms import list_alarms
from entra_jit.operations.list_failures import Selection, list_failures
from entra_jit.operations.replay_provisioning import replay_provisioning
from entra_jit.operations.retry_provisioning import retry_provisioning
from entra_jit.web.addresses import query
from entra_jit.web.navigation import Link
from entra_jit.web.rendering import page
from entra_jit.web.visitors import SignedIn, TheApp
from models.actor import Role
from models.errors import RefusedError
from models.names import ACCESS_GRANT, workflow_id

LINK = Link("/trouble", "Trouble", 30, frozenset({Role.ADMIN, Role.AUDITOR}), attention=lambda counted: counted.trouble)

QUERIES = (
    ("Parked grants", f"WorkflowType = '{ACCESS_GRANT}' AND GrantState = 'parked'"),
    ("Closing now", f"WorkflowType = '{ACCESS_GRANT}' AND GrantState = 'closing' AND ExecutionStatus = 'Running'"),
    ("With an alarm", f"WorkflowType = '{ACCESS_GRANT}' AND Alarm IS NOT NULL AND ExecutionStatus = 'Running'"),
    ("Reported problems", "TemporalReportedProblems IS NOT NULL"),
)
"""What an operator looks for in Temporal's UI."""

router = APIRouter()


@router.get("/trouble")
async def trouble(request: Request, visitor: SignedIn, app: TheApp, after: str | None = None) -> Response:
    """Grants that need an operator, then alarms."""
    temporal_answers = not request.app.state.engine.is_away
    failures = await list_failures(visitor.actor, app, Selection(), asks_temporal=temporal_answers)
    alarms = await list_alarms(visitor.actor, app, after=after, limit=50)
    return await page(
        request,
        visitor,
        "trouble.html",
        failures=failures,
        alarms=alarms,
        following=alarms.following and query(after=alarms.following),
        queries=[(label, in_temporal(app, wanted)) for label, wanted in QUERIES],
        workflow=lambda request_id: in_temporal(app, f"WorkflowId = '{workflow_id(request_id)}'"),
        may_retry=may(visitor.actor, Verb.RETRY_PROVISIONING),
        may_replay=may(visitor.actor, Verb.REPLAY_PROVISIONING),
        may_clear=may(visitor.actor, Verb.CLEAR_ALARM),
        now=app.clock(),
    )


def in_temporal(app: App, wanted: str) -> str | None:
    """Where Temporal's UI shows what a query finds; None: the settings do not say where that is."""
    if (ui := app.settings.temporal_ui_url) is None:
        return None
    namespace = app.client.namespace if app.client else "default"
    return f"{ui.rstrip('/')}/namespaces/{namespace}/workflows?{urlencode({'query': wanted})}"


@router.post("/trouble/retry")
async def retry(visitor: SignedIn, app: TheApp, grant: Annotated[str, Form()]) -> Response:
    """Try a parked grant again."""
    await retry_provisioning(visitor.actor, app, grant)
    return RedirectResponse(f"/grants/{grant}", status_code=303)


@router.post("/trouble/replay")
async def replay(visitor: SignedIn, app: TheApp, grant: Annotated[str, Form()]) -> Response:
    """Take up again what failed or waits."""
    replayed = await replay_provisioning(visitor.actor, app, grant)
    if not replayed.goes_on:
        raise RefusedError(replayed.sentence)
    return RedirectResponse(f"/grants/{replayed.replayed_as or replayed.request_id}", status_code=303)


@router.post("/trouble/clear")
async def clear(
    visitor: SignedIn,
    app: TheApp,
    kind: Annotated[str, Form()],
    subject: Annotated[str, Form()],
    reason: Annotated[str, Form()],
) -> Response:
    """Give the all-clear by hand."""
    await clear_alarm(visitor.actor, app, kind, subject, reason)
    return RedirectResponse("/trouble", status_code=303)
