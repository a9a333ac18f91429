"""Withdraw a request, and close its account if it is open."""

from __future__ import annotations

from contextlib import suppress

from temporalio.service import RPCError

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations._live_workflows import send_end
from models.actor import Actor
from models.plain_text import plain


@asks(Verb.CANCEL_ACCESS)
async def cancel_access(actor: Actor, app: App, request_id: str, reason: str | None = None) -> None:
    """Withdraw the request and close the account. Durable without a live worker. Idempotent while the grant lives.

    Raises ``BadInputError``, ``NotFoundError``, or ``RefusedError`` for a grant that is over.
    """
    workflow = await send_end(actor, app, request_id, reason, withdraws=True)
    # A cancellation carries one text and no signature, so the signal says who it was. This one makes Temporal's list
    # say "Canceled", as after its own button.
    with suppress(RPCError):
        await workflow.cancel(reason=plain(f"{actor}: {reason}" if reason else actor.name))
