"""Messages to the workflow of a live grant, and what to say where it does not run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.exceptions import TimeoutError as TimeoutFailure
from temporalio.service import RPCError, RPCStatusCode

from entra_jit.app import App
from entra_jit.operations.show_status import show_status
from models.actor import Actor
from models.errors import BadInputError, RefusedError, UnreachableError
from models.message import Message
from models.messages import EndAccess, GrantStatus, SignedEnd
from models.names import END

WAIT_FOR_ANSWER = timedelta(seconds=30)

SEALED_FAILURE = "Encoded failure"
"""What the SDK puts in the place of a failure's words where they are sealed."""


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


async def send_end(
    actor: Actor, app: App, request_id: str, reason: str | None, *, withdraws: bool = False
) -> WorkflowHandle[Any, GrantStatus]:
    """Send ``end``, signed. Raises ``BadInputError``, and what ``to_live`` raises."""
    try:
        ending = EndAccess(request_id=request_id, reason=reason, withdraws=withdraws)
    except ValidationError as error:
        raise BadInputError.of(error) from None
    workflow = await app.workflow_of(request_id)
    signed = SignedEnd(ending=ending, assertion=app.sign(actor, ending))
    await to_live(actor, app, request_id, workflow.signal(END, signed))
    return workflow


async def update_live(app: App, request_id: str, update: str, message: Message, *, update_id: str) -> None:
    """Have the workflow do what a signed message asks for. What it answers is not read: the portal could not open it.

    Raises ``RefusedError``, or ``UnreachableError`` where no worker answers; what was asked may then still come about.
    """
    workflow = await app.workflow_of(request_id)
    try:
        async with asyncio.timeout(WAIT_FOR_ANSWER.total_seconds()):
            await workflow.execute_update(update, message, id=update_id)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        raise UnreachableError("No worker has answered yet. Is one running? See `status`.") from None
    except WorkflowUpdateFailedError as error:
        raise RefusedError(_sentence(error)) from None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise RefusedError(f"The grant {request_id} is over already.") from None


def _sentence(error: WorkflowUpdateFailedError) -> str:
    cause: BaseException | None = error.cause
    while isinstance(cause, ActivityError | TimeoutFailure) and cause.cause is not None:
        cause = cause.cause
    said = cause.message if isinstance(cause, ApplicationError) else str(cause or error)
    return "The worker refused, and only workers can read why: see its log." if said == SEALED_FAILURE else said


async def why_gone(actor: Actor, app: App, request_id: str) -> RefusedError:
    """Why the workflow of the grant takes no message. Raises ``NotFoundError``."""
    status = await show_status(actor, app, request_id)
    state = status.state
    if status.closed_at and not state.is_final:
        return RefusedError(f"The workflow of the grant {request_id} is gone. {status.sentence}")
    if state.is_final:
        return RefusedError(f"The grant {request_id} is over already ({state}).")
    return WorkflowGoneError(
        f"The workflow of the grant {request_id} is gone, perhaps terminated, and the ledger says {state}: "
        "its account may be open until the reconciler closes it at its expiry. Close it now with `starter.py end`."
    )
