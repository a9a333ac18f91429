"""Wait until the doctor's canary has tried to sign in."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import canaries, statuses
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.messages import GrantState, SignInAttempt

PATIENCE = timedelta(minutes=2)
_LOOKS_EVERY_SECONDS = 0.5


@asks(Verb.RUN_CANARY)
async def await_canary(actor: Actor, app: App, request_id: str) -> SignInAttempt | None:
    """How its sign-in went; None: within two minutes it was not tried, or the grant ended before."""
    until = app.clock() + PATIENCE
    while app.clock() < until:
        async with app.ledger.transaction() as session:
            attempt = await canaries.last_attempt(session, request_id)
            status = await statuses.of_request(session, request_id, app.clock())
        if attempt or status is None or status.state is not GrantState.OPEN:
            return attempt
        await asyncio.sleep(_LOOKS_EVERY_SECONDS)
    return None
