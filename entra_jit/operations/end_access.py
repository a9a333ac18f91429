"""End a grant early: by its own signal, by cancelling its workflow, or try a parked one again."""

from __future__ import annotations

from collections.abc import Awaitable

from pydantic import ValidationError
from temporalio.service import RPCError, RPCStatusCode

from entra_jit.ledger import holds
from entra_jit.operations.deployment import Deployment
from entra_jit.operations.show_status import show_status
from models.errors import BadInputError, RefusedError
from models.messages import EndAccess, RetryProvisioning
from models.names import END, RETRY


class WorkflowGoneError(RefusedError):
    """The grant is live by the ledger, and its workflow does not run."""


async def end_access(deployment: Deployment, by: str, request_id: str, reason: str | None = None) -> None:
    """Close the account now. Durable without a live worker. Idempotent while the grant lives.

    Raises ``BadInputError``, ``NotFoundError``, or ``RefusedError`` for a grant that is over.
    """
    try:
        ending = EndAccess(by=by, reason=reason)
    except ValidationError as error:
        raise BadInputError.of(error) from None
    workflow = await deployment.workflow_of(request_id)
    await _to_live(deployment, request_id, workflow.signal(END, ending))


async def cancel_access(deployment: Deployment, by: str, request_id: str, reason: str | None = None) -> None:
    """Cancel the workflow, as the button in the Temporal UI does: withdraws the request and closes the account."""
    workflow = await deployment.workflow_of(request_id)
    said = f"{by}: {reason}" if reason else by
    # Temporal says "ok" to cancelling what is over, so it is asked first.
    if (await show_status(deployment, request_id)).state.is_final:
        raise RefusedError(f"The grant {request_id} is over already.")
    await _to_live(deployment, request_id, workflow.cancel(reason=said))


async def retry_provisioning(deployment: Deployment, by: str, request_id: str) -> None:
    """Try a parked grant again, once its cause was mended. Repeats what was decided, nothing else.

    Raises ``RefusedError`` under an emergency stop, and as ``end_access`` does.
    """
    async with deployment.ledger.transaction() as session:
        if stop := await holds.stop_over_grant(session, request_id):
            raise RefusedError(stop.sentence)
    workflow = await deployment.workflow_of(request_id)
    await _to_live(deployment, request_id, workflow.signal(RETRY, RetryProvisioning(by=by)))


async def _to_live(deployment: Deployment, request_id: str, message: Awaitable[None]) -> None:
    try:
        await message
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise await why_nobody_listens(deployment, request_id) from None


async def why_nobody_listens(deployment: Deployment, request_id: str) -> RefusedError:
    """What to tell whoever has a message for a grant whose workflow does not run."""
    state = (await show_status(deployment, request_id)).state
    if state.is_final:
        return RefusedError(f"The grant {request_id} is over already ({state}).")
    return WorkflowGoneError(
        f"The workflow of the grant {request_id} is gone, perhaps terminated, and the ledger says {state}: "
        "its account may be open until the reconciler closes it at its expiry. Close it now with `starter.py end`."
    )
