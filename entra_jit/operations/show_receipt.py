"""Show the receipt of a grant that is over."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import addenda, alarms, receipts
from entra_jit.operations._asking import asks
from entra_jit.operations.show_status import show_status
from models.actor import Actor
from models.errors import RefusedError
from models.messages import Receipt


@asks(Verb.SHOW_RECEIPT)
async def show_receipt(actor: Actor, app: App, request_id: str) -> Receipt:
    """The evidence of one grant, with what was learnt since and what became of its alarms.

    Raises ``NotFoundError``, or ``RefusedError`` while it is not over.
    """
    async with app.ledger.transaction() as session:
        receipt = await receipts.of_request(session, request_id)
        if receipt is not None:
            later = {
                "addenda": await addenda.of_request(session, request_id),
                "raised": await alarms.of_request(session, request_id),
            }
            return receipt.model_copy(update=later)
    state = (await show_status(actor, app, request_id)).state
    raise RefusedError(f"The grant {request_id} is {state}; its receipt is written when it is over.")
