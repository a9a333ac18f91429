"""A person who is signed in at the portal that is measured."""

from __future__ import annotations

from uuid import UUID

from entra_jit.app import App
from entra_jit.identity.sessions import ABSOLUTE
from entra_jit.ledger import sessions
from models.actor import Role
from models.tables import SessionRow


async def begin_session(app: App, key: bytes, session_id: UUID, person_id: UUID, name: str, role: Role) -> None:
    """Enter a session that has just begun."""
    now = app.clock()
    row = SessionRow(
        key=key,
        id=session_id,
        person_id=person_id,
        name=name,
        roles=[role],
        browser="",
        signed_in_at=now,
        began_at=now,
        seen_at=now,
    )
    async with app.ledger.transaction() as transaction:
        await sessions.add(transaction, row, over_before=now - ABSOLUTE)
