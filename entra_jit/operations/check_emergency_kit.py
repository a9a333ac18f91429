"""Tell whether an offline kit still opens what it was made for."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import emergency
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.errors import BadInputError
from models.messages import KitAccount


@asks(Verb.CHECK_EMERGENCY_KIT)
async def check_emergency_kit(actor: Actor, app: App, credentials: Sequence[str]) -> list[KitAccount]:
    """For each handle of the kit, whether its passkey is still the account's. Needs the ledger alone.

    Raises ``BadInputError`` for what is no handle.
    """
    try:
        handles = [UUID(one) for one in credentials]
    except ValueError:
        raise BadInputError("The kit names a credential that is no handle of ours.") from None
    async with app.ledger.transaction() as session:
        current = await emergency.are_current(session, handles)
    return [KitAccount(credential=str(one), is_current=one in current) for one in handles]
