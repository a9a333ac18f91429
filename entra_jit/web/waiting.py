"""Where a browser waits for a worker that takes longer than a page should: a page that looks again by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from entra_jit.operations.await_worker import LASTS
from entra_jit.web.rendering import page
from entra_jit.web.security import local_path
from entra_jit.web.visitors import Visitor, app_of
from models.errors import StillWorkingError

CALLBACK = "/connect/callback"
"""Where Microsoft sends a browser back to. All three applications have it registered, below the portal's address."""

LOOKS_EVERY_SECONDS = 3

_GIVES_A_SECRET = ("/connect", "/connect/invited", "/add-customer/invitation")
"""What answers with a secret that only that answer has: it is quick, and is asked for again."""


def leads_to_waiting(request: Request) -> bool:
    """Whether what is asked for is done once. What only reads is asked for again, by the person."""
    path = request.url.path
    return path == CALLBACK or (request.method == "POST" and path not in _GIVES_A_SECRET)


def wait_for(request: Request, error: StillWorkingError, came_from: str | None = None) -> Response:
    """To the page that waits. ``came_from``: where it leads back to, if the address does not say so."""
    path = request.url.path
    where = "/connect/waiting" if path == CALLBACK else "/waiting"
    back = {} if path == CALLBACK else {"back": came_from or path.rpartition("/")[0] or "/tenants"}
    query = urlencode({"since": round(app_of(request).clock().timestamp()), **back})
    return RedirectResponse(f"{where}/{error.operation}/{error.errand_id}?{query}", HTTPStatus.SEE_OTHER)


async def waiting_page(request: Request, visitor: Visitor | None, since: int, back: str = "/") -> Response:
    """It is not done yet. Where it cannot be any more, the page says so and rests."""
    now = app_of(request).clock()
    begun = datetime.fromtimestamp(min(max(since, 0), now.timestamp()), UTC)
    is_over = now - begun > LASTS
    answer = await page(request, visitor, "waiting.html", begun=begun, is_over=is_over, back=local_path(back))
    if not is_over:
        answer.headers["Refresh"] = str(LOOKS_EVERY_SECONDS)
    return answer
