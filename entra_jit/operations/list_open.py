"""List every grant that holds access, may come to hold it, or is not proven closed."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import open_grants
from entra_jit.ledger.open_grants import OpenGrant
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.paging import Page
from models.selections import OpenGrants

EVERY = OpenGrants()


@asks(Verb.LIST_GRANTS)
async def list_open(
    actor: Actor, app: App, selection: OpenGrants = EVERY, *, after: str | None = None, limit: int = 50
) -> Page[OpenGrant]:
    """What should have been closed comes first, then by expiry. ``after``: the cursor of a part that follows.

    Raises ``NotFoundError`` and ``BadInputError``.
    """
    async with app.ledger.transaction() as session:
        return await open_grants.listed(session, selection, app.clock(), after=after, limit=limit)
