"""Make a new credential for an open grant, in the place of the one before."""

from __future__ import annotations

from uuid import uuid4

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import grants, holds
from entra_jit.operations._asking import asks
from entra_jit.operations._live_workflows import update_live
from models.actor import Actor
from models.errors import NotFoundError, RefusedError
from models.messages import Renewal, SignedRenewal
from models.names import RENEW


@asks(Verb.RENEW_CREDENTIAL)
async def renew_credential(actor: Actor, app: App, request_id: str) -> None:
    """Renew the pass or password of an open grant, as the tenant's policy allows. The one before stops working.

    Only for the technician whose grant it is, or an operator. It is shown by ``reveal_credential``, once.

    Raises ``NotFoundError``, ``RefusedError``, or ``UnreachableError`` where no worker answers; it may then still come
    about.
    """
    async with app.ledger.transaction() as session:
        grant = await grants.by_id(session, request_id)
        stop = await holds.stop_over_grant(session, request_id)
    if grant is None:
        raise NotFoundError(f"There is no grant {request_id!r}.")
    if stop is not None:
        raise RefusedError(stop.sentence)
    renewal = Renewal(request_id=request_id)
    signed = SignedRenewal(renewal=renewal, assertion=app.sign(actor, renewal))
    await update_live(app, request_id, RENEW, signed, update_id=f"renew-{uuid4().hex}")
