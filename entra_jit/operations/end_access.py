"""End a grant early by its workflow."""

from __future__ import annotations

from pydantic import ValidationError

from entra_jit.app import App
from entra_jit.identity.authorize import Subject, Verb, authorize
from entra_jit.operations._live_workflows import to_live
from models.actor import Actor
from models.errors import BadInputError
from models.messages import EndAccess, SignedEnd
from models.names import END


async def end_access(actor: Actor, app: App, request_id: str, reason: str | None = None) -> None:
    """Close the account now. Durable without a live worker. Idempotent while the grant lives.

    Raises ``BadInputError``, ``NotFoundError``, or ``RefusedError`` for a grant that is over.
    """
    authorize(actor, Verb.END_ACCESS, Subject(request_id))
    try:
        ending = EndAccess(request_id=request_id, reason=reason)
    except ValidationError as error:
        raise BadInputError.of(error) from None
    workflow = await app.workflow_of(request_id)
    signed = SignedEnd(ending=ending, assertion=app.sign(actor, ending))
    await to_live(actor, app, request_id, workflow.signal(END, signed))
