"""Show the receipt of a grant that is over."""

from __future__ import annotations

from entra_jit.ledger import addenda, alarms, receipts
from entra_jit.operations.deployment import Deployment
from entra_jit.operations.show_status import show_status
from models.errors import RefusedError
from models.messages import Receipt


async def show_receipt(deployment: Deployment, request_id: str) -> Receipt:
    """The evidence of one grant, with what was learnt since and what became of its alarms.

    Raises ``NotFoundError``, or ``RefusedError`` while it is not over.
    """
    async with deployment.ledger.transaction() as session:
        receipt = await receipts.of_request(session, request_id)
        if receipt is not None:
            later = {
                "addenda": await addenda.of_request(session, request_id),
                "raised": await alarms.of_request(session, request_id),
            }
            return receipt.model_copy(update=later)
    state = (await show_status(deployment, request_id)).state
    raise RefusedError(f"The grant {request_id} is {state}; its receipt is written when it is over.")
