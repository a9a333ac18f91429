"""Where a request stands, and what has been done for it."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio.service import RPCError, RPCStatusCode

from entra_jit.app import App
from entra_jit.identity.authorize import Subject, Verb, authorize
from entra_jit.ledger import grants, holds, receipts, requests, steps
from entra_jit.ledger.rows import as_status
from models.actor import Actor
from models.errors import NotFoundError
from models.messages import GrantStatus, Step


@dataclass(frozen=True)
class Progress:
    """The status of a request with its steps so far, in order."""

    status: GrantStatus
    steps: tuple[Step, ...]


async def show_status(actor: Actor, app: App, request_id: str) -> GrantStatus:
    """Where the request stands, by the ledger. Raises ``NotFoundError``."""
    return (await show_progress(actor, app, request_id)).status


async def show_progress(actor: Actor, app: App, request_id: str) -> Progress:
    """Where the request stands and how it came there. Raises ``NotFoundError``."""
    authorize(actor, Verb.SHOW_STATUS, Subject(request_id))
    async with app.ledger.transaction() as session:
        request = await requests.by_id(session, request_id)
        if request is not None:
            grant = await grants.by_id(session, request_id)
            receipt = await receipts.of_request(session, request_id)
            done = await steps.of_request(session, request_id)
            return Progress(as_status(request, grant, receipt, await holds.in_force(session)), done)
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
