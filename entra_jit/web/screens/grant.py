"""Grant, live: how long it lasts, what happened, what the directory said; and what can be done about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from entra_jit.operations.cancel_access import cancel_access
from entra_jit.operations.end_access import end_access
from entra_jit.operations.extend_access import extend_access
from entra_jit.operations.show_grant import ShownGrant, show_grant
from entra_jit.policy.durations import parse_duration
from entra_jit.web import timeline
from entra_jit.web.live import Live, read_seen
from entra_jit.web.rendering import fragment, page
from entra_jit.web.visitors import SignedIn, TheApp, Visitor
from models.actor import Role
from models.messages import GrantState

router = APIRouter()

LONGER = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 240))
"""By how much an extension is offered."""


def shown_as(shown: ShownGrant, visitor: Visitor, now: datetime) -> dict[str, Any]:
    """What the live part of the page is made of."""
    is_theirs = bool(shown.request and visitor.technician == shown.request.technician)
    return {
        "shown": shown,
        "grant": shown.status,
        "lines": timeline.lines(shown),
        "given_at": timeline.access_was_read_back(shown),
        "standing": timeline.read_back(shown),
        "is_theirs": is_theirs,
        "may_end": is_theirs or visitor.has(Role.ADMIN),
        "now": now,
    }


@router.get("/grants/{request_id:path}")
async def grant(request: Request, visitor: SignedIn, app: TheApp, request_id: str) -> Response:
    """The page of one request and its grant."""
    shown = await show_grant(visitor.actor, app, request_id, tries=not request.app.state.engine.is_away)
    return await page(request, visitor, "grant.html", **shown_as(shown, visitor, app.clock()))


@router.get("/live/{request_id:path}")
async def live(request: Request, visitor: SignedIn, app: TheApp, request_id: str, seen: str = "") -> Response:
    """The live part of it, each time that something happens. A browser that comes back says what it has seen."""
    await show_grant(visitor.actor, app, request_id)  # refuses those who may not, before anything is streamed
    follower: Live = request.app.state.live

    async def render(shown: ShownGrant) -> str:
        return fragment(request, visitor, "_grant.html", **shown_as(shown, visitor, app.clock()))

    known = read_seen(request.headers.get("last-event-id", seen))
    stream = follower.stream(visitor, request_id, known, render)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.get("/extensions/{request_id:path}")
async def longer(request: Request, visitor: SignedIn, app: TheApp, request_id: str) -> Response:
    """How much longer, and why."""
    shown = await show_grant(visitor.actor, app, request_id)
    expires_at, longest = shown.status.expires_at, shown.longest_until
    most = longest - expires_at if expires_at and longest else timedelta(0)
    values: dict[str, Any] = {
        "shown": shown,
        "grant": shown.status,
        "most": most,
        "lengths": LONGER,
        "now": app.clock(),
    }
    return await page(request, visitor, "extend.html", **values)


@router.post("/extensions/{request_id:path}")
async def extend(
    visitor: SignedIn, app: TheApp, request_id: str, length: Annotated[str, Form()], reason: Annotated[str, Form()]
) -> Response:
    """Extend it."""
    await extend_access(visitor.actor, app, request_id, parse_duration(length), reason)
    return RedirectResponse(f"/grants/{request_id}", status_code=303)


@router.get("/endings/{request_id:path}")
async def sure(request: Request, visitor: SignedIn, app: TheApp, request_id: str) -> Response:
    """What ending it does, before it is done."""
    shown = await show_grant(visitor.actor, app, request_id)
    return await page(request, visitor, "end.html", shown=shown, grant=shown.status, now=app.clock())


@router.post("/endings/{request_id:path}")
async def end(visitor: SignedIn, app: TheApp, request_id: str, reason: Annotated[str, Form()] = "") -> Response:
    """End the grant, or withdraw the request that was not opened yet."""
    state = (await show_grant(visitor.actor, app, request_id)).status.state
    stop = cancel_access if state in {GrantState.ASKED, GrantState.PREPARING} else end_access
    await stop(visitor.actor, app, request_id, reason.strip() or None)
    return RedirectResponse(f"/grants/{request_id}", status_code=303)
