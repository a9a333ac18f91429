"""Reveal an emergency credential: sealed to a key of the reader's, so that the portal never holds what opens it.

The person signs in once more, for this request alone. A worker believes that sign-in, and not the portal.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from entra_jit.app import App
from entra_jit.emergency_kit import to_paste
from entra_jit.identity.person_sign_in import Finished
from entra_jit.operations.plan_emergency_reveal import plan_emergency_reveal
from entra_jit.operations.reveal_emergency_account import reveal_emergency_account
from entra_jit.web.rendering import page
from entra_jit.web.visitors import SignedIn, SignInNeededError, TheApp, Visitor
from entra_jit.web.ways_in import SignIns, to_sign_in
from models.errors import InternalError
from models.messages import RevealRequest, SealedPasskeys

PATH = "/emergency/{tenant}/{number}"

router = APIRouter()


@router.get(PATH)
async def form(request: Request, visitor: SignedIn, app: TheApp, tenant: str, number: int) -> Response:
    """What a reveal does, and what it needs of the reader. Looking at this opens nothing."""
    account = await plan_emergency_reveal(visitor.actor, app, tenant, number)
    return await page(request, visitor, "reveal_emergency.html", account=account, given=None, now=app.clock())


@router.post(PATH)
async def ask(
    visitor: SignedIn,
    app: TheApp,
    ways: SignIns,
    tenant: str,
    number: int,
    reason: Annotated[str, Form()],
    reader: Annotated[str, Form()],
) -> Response:
    """Have the person sign in for just this. What cannot be given is refused before."""
    wanted = RevealRequest(tenant=tenant, number=number, reason=reason, reader=reader.strip())
    await plan_emergency_reveal(visitor.actor, app, tenant, number, request=wanted)
    return await to_sign_in(app, ways, "/emergency", anew=True, about=wanted.about)


async def give(request: Request, app: App, visitor: Visitor | None, finished: Finished) -> Response:
    """The sealed credential, once: the sign-in that this page is the answer to does not come back again."""
    if visitor is None or finished.about is None:
        raise SignInNeededError("/emergency")
    wanted = RevealRequest.read(finished.about)
    return await given_page(
        request, app, visitor, await reveal_emergency_account(visitor.actor, app, wanted, finished.token)
    )


async def given_page(request: Request, app: App, visitor: Visitor, sealed: SealedPasskeys) -> Response:
    """What a worker has given."""
    if (whose := sealed.account) is None:
        raise InternalError("What was given says no account.")
    account = await plan_emergency_reveal(visitor.actor, app, whose.tenant, whose.number)
    return await page(
        request,
        visitor,
        "reveal_emergency.html",
        account=account,
        given=to_paste(sealed.sealed, sealed.about).splitlines(),
        usable_until=sealed.usable_until,
        code=sealed.code,
        now=app.clock(),
    )
