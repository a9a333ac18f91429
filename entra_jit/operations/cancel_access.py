"""Cancel the workflow of a request, as the button in the Temporal UI does."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Subject, Verb, authorize
from entra_jit.operations._live_workflows import to_live
from entra_jit.operations._reasons import read_reason
from entra_jit.operations.show_status import show_status
from models.actor import Actor
from models.errors import RefusedError


async def cancel_access(actor: Actor, app: App, request_id: str, reason: str | None = None) -> None:
    """Withdraw the request and close the account. Durable without a live worker.

    Temporal takes one text with a cancellation, so the receipt has the actor's name in it, unsigned.
    Raises ``NotFoundError``, or ``RefusedError`` for a grant that is over.
    """
    authorize(actor, Verb.CANCEL_ACCESS, Subject(request_id))
    workflow = await app.workflow_of(request_id)
    said = f"{actor}: {read_reason(reason)}" if reason is not None else actor.name
    # Temporal says "ok" to cancelling what is over, so it is asked first.
    if (await show_status(actor, app, request_id)).state.is_final:
        raise RefusedError(f"The grant {request_id} is over already.")
    await to_live(actor, app, request_id, workflow.cancel(reason=said))
