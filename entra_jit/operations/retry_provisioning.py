"""Try a parked grant again."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import holds
from entra_jit.operations._asking import asks
from entra_jit.operations._live_workflows import to_live
from models.actor import Actor
from models.errors import RefusedError
from models.messages import RetryProvisioning, SignedRetry
from models.names import RETRY


@asks(Verb.RETRY_PROVISIONING)
async def retry_provisioning(actor: Actor, app: App, request_id: str) -> None:
    """Try a parked grant again, once its cause was mended. Repeats what was decided, nothing else.

    Raises ``NotFoundError``, or ``RefusedError`` for a grant that is over and under an emergency stop.
    """
    async with app.ledger.transaction() as session:
        if stop := await holds.stop_over_grant(session, request_id):
            raise RefusedError(stop.sentence)
    workflow = await app.workflow_of(request_id)
    retry = RetryProvisioning(request_id=request_id)
    signed = SignedRetry(retry=retry, assertion=app.sign(actor, retry))
    await to_live(actor, app, request_id, workflow.signal(RETRY, signed))
