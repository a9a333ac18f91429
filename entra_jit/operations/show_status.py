"""Where a request stands, and what has been done for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio.service import RPCError, RPCStatusCode

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import statuses, steps
from entra_jit.operations._asking import asks
from entra_jit.temporal.connect import EngineUnreachableError
from entra_jit.temporal.executions import look_at
from models.actor import Actor
from models.errors import NotFoundError, SettingsError
from models.messages import GrantState, GrantStatus, Step
from models.names import workflow_id

TRIED = frozenset({GrantState.PREPARING, GrantState.CLOSING})
"""States in which steps are tried again."""

ANSWERS_WITHIN = timedelta(seconds=3)


@dataclass(frozen=True)
class Progress:
    """The status of a request with its steps so far, in order."""

    status: GrantStatus
    steps: tuple[Step, ...]


async def show_status(actor: Actor, app: App, request_id: str) -> GrantStatus:
    """Where the request stands, by the ledger. Raises ``NotFoundError``."""
    return (await show_progress(actor, app, request_id)).status


async def show_status_and_tries(actor: Actor, app: App, request_id: str) -> GrantStatus:
    """The same, with the steps that are refused and tried again, as far as Temporal answers. Raises ``NotFoundError``.

    The state and all else is the ledger's: a workflow that is gone says nothing of an account.
    """
    status = await show_status(actor, app, request_id)
    if status.state not in TRIED or status.closed_at is not None:
        return status
    try:
        async with asyncio.timeout(ANSWERS_WITHIN.total_seconds()):
            execution = await look_at(await app.temporal(), workflow_id(request_id))
    except (RPCError, EngineUnreachableError, SettingsError, TimeoutError):
        return status
    return status.model_copy(update={"stuck": tuple(step.shown for step in execution.steps)})


@asks(Verb.SHOW_STATUS)
async def show_progress(actor: Actor, app: App, request_id: str) -> Progress:
    """Where the request stands and how it came there. Raises ``NotFoundError``."""
    async with app.ledger.transaction() as session:
        if status := await statuses.of_request(session, request_id, app.clock()):
            return Progress(status, await steps.of_request(session, request_id))
    return Progress(await _asked_only(app, request_id), ())


async def _asked_only(app: App, request_id: str) -> GrantStatus:
    """A request that no worker has taken to the ledger yet is in Temporal alone."""
    workflow = await app.workflow_of(request_id)
    try:
        await workflow.describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotFoundError(f"There is no grant or request {request_id!r}.") from None
        raise
    return GrantStatus(request_id=request_id, sentence="Not decided yet.")
