"""Where a person is signed in at the portal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.identity.sessions import IDLE
from entra_jit.ledger import sessions
from entra_jit.operations._asking import asks
from models.actor import Actor


@dataclass(frozen=True)
class OpenSession:
    """One browser in which a person is signed in."""

    id: UUID
    browser: str
    """What it says it is."""
    began_at: datetime
    seen_at: datetime
    """When it was used last, to a minute."""


@asks(Verb.LIST_SESSIONS)
async def list_sessions(actor: Actor, app: App, person_id: str) -> list[OpenSession]:
    """The sessions of a person that are not over, the last used first."""
    async with app.ledger.transaction() as session:
        rows = await sessions.of_person(session, UUID(person_id), seen_since=app.clock() - IDLE)
    return [OpenSession(row.id, row.browser, row.began_at, row.seen_at) for row in rows]
