"""Where a request stands, and what has been done for it."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio.service import RPCError, RPCStatusCode

from entra_jit.ledger import grants, holds, receipts, requests, steps
from entra_jit.ledger.rows import as_status
from entra_jit.operations.deployment import Deployment
from models.errors import NotFoundError
from models.messages import GrantStatus, Step


@dataclass(frozen=True)
class Progress:
    """The status of a request with its steps so far, in order."""

    status: GrantStatus
    steps: tuple[Step, ...]


async def show_status(deployment: Deployment, request_id: str) -> GrantStatus:
    """Where the request stands, by the ledger. Raises ``NotFoundError``."""
    return (await show_progress(deployment, request_id)).status


async def show_progress(deployment: Deployment, request_id: str) -> Progress:
    """Where the request stands and how it came there. Raises ``NotFoundError``."""
    async with deployment.ledger.transaction() as session:
        request = await requests.by_id(session, request_id)
        if request is not None:
            grant = await grants.by_id(session, request_id)
            receipt = await receipts.of_request(session, request_id)
            done = await steps.of_request(session, request_id)
            return Progress(as_status(request, grant, receipt, await holds.in_force(session)), done)
    return Progress(await _asked_only(deployment, request_id), ())


async def _asked_only(deployment: Deployment, request_id: str) -> GrantStatus:
    """A request that no worker has taken to the ledger yet is in Temporal alone."""
    workflow = await deployment.workflow_of(request_id)
    try:
        await workflow.describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotFoundError(f"There is no grant or request {request_id!r}.") from None
        raise
    return GrantStatus(request_id=request_id, sentence="Not decided yet.")
