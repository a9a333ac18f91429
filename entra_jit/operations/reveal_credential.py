"""Show a technician the credential of their own open grant, once."""

from __future__ import annotations

from entra_jit.ledger import credentials, events, grants, requests
from entra_jit.ledger.credentials import Revealed
from entra_jit.ledger.rows import state_of
from entra_jit.operations.deployment import Deployment
from models.errors import NotFoundError, RefusedError
from models.messages import GrantState


async def reveal_credential(deployment: Deployment, technician: str, request_id: str) -> tuple[str, Revealed]:
    """The account's name and its credential. The ledger records that, when and to whom it was shown.

    Raises ``NotFoundError``, or ``RefusedError``: another technician's grant, one that is not open, a second look.
    """
    try:
        return await _reveal(deployment, technician, request_id)
    except RefusedError as error:
        async with deployment.ledger.transaction() as session:
            await events.refuse(session, events.acting(technician), "reveal", request_id, str(error))
        raise


async def _reveal(deployment: Deployment, technician: str, request_id: str) -> tuple[str, Revealed]:
    async with deployment.ledger.transaction() as session:
        request = await requests.by_id(session, request_id)
        grant = await grants.by_id(session, request_id)
        if request is None or grant is None:
            raise NotFoundError(f"There is no grant {request_id!r}.")
        if request.technician != technician:
            raise RefusedError(f"The grant {request_id} is not {technician}'s.")
        if (state := state_of(request, grant)) is not GrantState.OPEN:
            raise RefusedError(f"The grant {request_id} is {state}; a credential is shown while it is open.")
        revealed = await credentials.reveal(session, deployment.keyring, request_id, technician, deployment.clock())
    return grant.account_name, revealed
