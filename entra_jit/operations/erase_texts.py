"""Erase what people wrote about one technician. The journal and the receipts stay, and say that it was erased."""

from __future__ import annotations

from uuid import UUID

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import events, open_grants, requests, texts
from entra_jit.ledger.names import find_technician
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.errors import RefusedError
from models.selections import OpenGrants


@asks(Verb.ERASE_TEXTS)
async def erase_texts(actor: Actor, app: App, technician: str, *, do: bool) -> int:
    """How many texts concern the technician: reasons, tickets, answers, their name. Erased for good only if ``do``.

    Idempotent. Raises ``NotFoundError``, or ``RefusedError`` while a grant of theirs is live: it needs its texts.
    """
    async with app.ledger.transaction() as session:
        found = await find_technician(session, technician)
        whose = OpenGrants(technician=technician)
        if live := await open_grants.listed(session, whose, app.clock(), after=None, limit=1):
            raise RefusedError(f"The grant {live[0].status.request_id} of {found.name} is live. End it first.")
        written = await texts.of_technician(session, UUID(found.id), requests.made_for(found))
        if do:
            await events.erase_texts(session, actor, written)
    return len(written)
