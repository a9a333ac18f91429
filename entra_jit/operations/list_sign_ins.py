"""Who signed in at the portal and is nothing in this deployment yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import sessions
from entra_jit.operations._asking import asks
from models.actor import Actor


@dataclass(frozen=True)
class WaitingSignIn:
    """A person of the MSP's tenant who waits to be accepted."""

    person_id: str
    name: str
    """What they sign in with."""
    display_name: str
    first_at: datetime
    last_at: datetime


@asks(Verb.LIST_SIGN_INS)
async def list_sign_ins(actor: Actor, app: App) -> list[WaitingSignIn]:
    """Who waits, the longest first."""
    async with app.ledger.transaction() as session:
        rows = await sessions.waiting(session)
    return [WaitingSignIn(str(row.person_id), row.name, row.display_name, row.first_at, row.last_at) for row in rows]
