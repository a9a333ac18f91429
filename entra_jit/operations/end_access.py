"""End a grant early by its workflow."""

from __future__ import annotations

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations._live_workflows import send_end
from models.actor import Actor


@asks(Verb.END_ACCESS)
async def end_access(actor: Actor, app: App, request_id: str, reason: str | None = None) -> None:
    """Close the account now. Durable without a live worker. Idempotent while the grant lives.

    Raises ``BadInputError``, ``NotFoundError``, or ``RefusedError`` for a grant that is over.
    """
    await send_end(actor, app, request_id, reason)
