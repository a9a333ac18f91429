"""Show a technician the credential of their own open grant, once."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import credentials, grants, statuses
from entra_jit.ledger.credentials import Revealed
from entra_jit.ledger.names import find_technician
from entra_jit.operations._asking import asks
from models.actor import Actor
from models.errors import NotFoundError, RefusedError
from models.marks import CANARY_ID
from models.messages import GrantState


@asks(Verb.REVEAL_CREDENTIAL)
async def reveal_credential(actor: Actor, app: App, request_id: str, technician: str) -> tuple[str, Revealed]:
    """The account's name and its credential. The ledger records that, when and to whom it was shown.

    ``technician`` is the name of the one whose grant it should be. Names are given anew, so the ids behind them are
    compared.

    Raises ``NotFoundError``, or ``RefusedError``: another technician's grant, one that is not open, a second look.
    """
    async with app.ledger.transaction() as session:
        grant = await grants.by_id(session, request_id)
        status = await statuses.of_request(session, request_id, app.clock())
        if status is None or grant is None:
            raise NotFoundError(f"There is no grant {request_id!r}.")
        named = await find_technician(session, technician)
        if named.id != str(grant.technician_id):
            raise RefusedError(f"The grant {request_id} is not {named.name}'s.")
        if named.id == CANARY_ID:
            raise RefusedError("No person signs in as the canary: its credential is not shown.")
        if status.state is not GrantState.OPEN:
            raise RefusedError(f"The grant {request_id} is {status.state}; a credential is shown while it is open.")
        if grant.expires_at is None or grant.expires_at <= app.clock():
            raise RefusedError(f"The grant {request_id} has expired; a credential is shown while it is open.")
        revealed = await credentials.reveal(session, app.keyring, request_id, actor, app.clock())
    return grant.account_name, revealed
