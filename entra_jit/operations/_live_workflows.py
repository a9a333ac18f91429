"""Messages to the workflow of a live grant, and what to say where it does not run."""

from __future__ import annotations

from collections.abc import Awaitable

from temporalio.service import RPCError, RPCStatusCode

from entra_jit.app import App
from entra_jit.operations.show_status import show_status
from models.actor import Actor
from models.errors import RefusedError


class WorkflowGoneError(RefusedError):
    """The grant is live by the ledger, and its workflow does not run."""


async def to_live(actor: Actor, app: App, request_id: str, message: Awaitable[None]) -> None:
    """Send ``message``. Raises what ``why_gone`` gives where the workflow does not run."""
    try:
        await message
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise await why_gone(actor, app, request_id) from None


async def why_gone(actor: Actor, app: App, request_id: str) -> RefusedError:
    """Why the workflow of the grant takes no message. Raises ``NotFoundError``."""
    state = (await show_status(actor, app, request_id)).state
    if state.is_final:
        return RefusedError(f"The grant {request_id} is over already ({state}).")
    return WorkflowGoneError(
        f"The workflow of the grant {request_id} is gone, perhaps terminated, and the ledger says {state}: "
        "its account may be open until the reconciler closes it at its expiry. Close it now with `starter.py end`."
    )
