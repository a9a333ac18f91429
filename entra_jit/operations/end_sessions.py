"""Sign a person out of the portal, in one browser or everywhere."""

from __future__ import annotations

from uuid import UUID

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import sessions
from entra_jit.operations._asking import asks
from models.actor import Actor


@asks(Verb.END_SESSIONS)
async def end_sessions(actor: Actor, app: App, person_id: str, *, only: UUID | None = None) -> None:
    """End the session ``only`` of a person, or all of them. Idempotent. Their grants stay as they are."""
    async with app.ledger.transaction() as session:
        await sessions.end_of_person(session, UUID(person_id), only=only)
