"""Request: what a technician would get, why, and for how long at most, before they ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from entra_jit.operations.preview_access import Previewed, preview_access
from entra_jit.operations.request_access import request_access
from entra_jit.operations.show_grant import show_grant
from entra_jit.policy.durations import parse_duration, until_clock
from entra_jit.policy.previewing import PossibleAccess
from entra_jit.web.rendering import page
from entra_jit.web.visitors import SignedIn, TheApp, Visitor, technician_of
from models.errors import BadInputError

router = APIRouter()

UNTIL = "until"
"""The choice of a time instead of a length."""


@dataclass(frozen=True)
class Prefilled:
    """What stands in the form at first."""

    reason: str = ""
    ticket: str = ""
    access: tuple[str, ...] | None = None
    """Ids or names of what is ticked; None: all that is not privileged."""
    duration: timedelta | None = None


class Asked(BaseModel):
    """What the form sends."""

    reason: str = ""
    ticket: str = ""
    role: list[str] = []
    """What is ticked, as people know it: the receipt shows it so."""
    length: str = ""
    until: str = ""
    offset: int = 0
    """Minutes from the reader's clock to UTC, as browsers count them."""
    key: str = ""
    """Sent twice with one key, it is asked once."""

    def duration(self, now: datetime) -> timedelta:
        """How long. Raises ``BadInputError``."""
        return until_clock(self.until, self.offset, now) if self.length == UNTIL else parse_duration(self.length)


@router.get("/customers/{tenant}/request")
async def form(request: Request, visitor: SignedIn, app: TheApp, tenant: str, again: str | None = None) -> Response:
    """The form. ``again``: the request that is repeated."""
    filled = Prefilled()
    if again:
        before = (await show_grant(visitor.actor, app, again)).request
        if before:
            filled = Prefilled(before.reason, before.ticket or "", before.access, before.duration)
    found = await preview_access(visitor.actor, app, tenant=tenant, technician=technician_of(visitor))
    return await _page(request, visitor, found, filled, app.clock())


@router.post("/customers/{tenant}/request")
async def ask(
    request: Request, visitor: SignedIn, app: TheApp, tenant: str, asked: Annotated[Asked, Form()]
) -> Response:
    """Ask. What cannot be had is said on the form, which keeps what was filled in."""
    technician, now, duration = technician_of(visitor), app.clock(), None
    try:
        duration = asked.duration(now)
        found = await preview_access(
            visitor.actor, app, tenant=tenant, technician=technician, access=asked.role, duration=duration
        )
        refused = found.access.refused or (None if asked.reason.strip() else "Give a reason; the receipt shows it.")
    except BadInputError as error:
        found = await preview_access(visitor.actor, app, tenant=tenant, technician=technician)
        refused = str(error)
    if refused:
        filled = Prefilled(asked.reason, asked.ticket, tuple(asked.role), duration)
        return await _page(request, visitor, found, filled, now, refused=refused)
    made = await request_access(
        visitor.actor,
        app,
        tenant=tenant,
        technician=technician,
        reason=asked.reason,
        ticket=asked.ticket.strip() or None,
        duration=duration,
        access=asked.role,
        key=asked.key or None,
    )
    return RedirectResponse(f"/grants/{made}", status_code=303)


async def _page(
    request: Request, visitor: Visitor, found: Previewed, filled: Prefilled, now: datetime, refused: str | None = None
) -> Response:
    preview = found.access
    lengths = sorted({choice.duration for choice in preview.choices} | {filled.duration or preview.default})
    return await page(
        request,
        visitor,
        "request.html",
        status=422 if refused else 200,
        found=found,
        preview=preview,
        filled=filled,
        ticked=[one.item.id for one in preview.possible if _is_ticked(one, filled)],
        lengths=[(length, length <= preview.longest) for length in lengths],
        chosen=filled.duration or min(preview.default, preview.longest),
        refused=refused,
        key=uuid4().hex[:10],
        now=now,
    )


def _is_ticked(one: PossibleAccess, filled: Prefilled) -> bool:
    if filled.access is None:
        return not one.privileged
    return any(one.item.is_called(name) for name in filled.access)
