"""Erase what people wrote about one technician. The journal and the receipts stay, and say that it was erased."""

from __future__ import annotations

from uuid import UUID

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import configuration, events, grants, texts
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.errors import NotFoundError, RefusedError


@asks(Verb.ERASE_TEXTS)
async def erase_texts(actor: Actor, app: App, technician: str, *, do: bool) -> int:
    """How many texts concern the technician: reasons, tickets, answers, their name. Erased for good only if ``do``.

    Idempotent. Raises ``NotFoundError``, or ``RefusedError`` while a grant of theirs is live: it needs its texts.
    """
    async with app.ledger.transaction() as session:
        terms = await configuration.technician_terms(session, technician)
        if terms is None:
            raise NotFoundError(f"There is no technician {technician!r}.")
        live = await grants.listed(session, technician=technician, live_only=True, limit=1)
        if live:
            raise RefusedError(f"The grant {live[0][0].id} of {technician} is live. End it first.")
        found = await texts.of_technician(session, UUID(terms.id), technician)
        if do:
            await events.erase_texts(session, actor, found)
    return len(found)
