"""Ask for administrator access to a tenant."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations.show_status import show_status
from models.actor import Actor
from models.errors import BadInputError
from models.markdown import escape
from models.messages import AccessRequest, GrantInput, GrantState, GrantStatus, RequestKey, SignedAccessRequest
from models.names import ACCESS_GRANT, DECISION, REQUEST_ACCESS, request_id, workflow_id

DETAILS = (
    "A technician's just-in-time access to a customer's tenant, from asking to receipt. "
    "While a worker runs, the current details say where it stands.\n\n"
    "**Request Cancellation** closes the account. **Terminate** would leave it open."
)
"""What Temporal's UI shows of a grant also where no worker lives."""

WAIT_FOR_DECISION = timedelta(seconds=30)


@asks(Verb.REQUEST_ACCESS)
async def request_access(
    actor: Actor,
    app: App,
    *,
    tenant: str,
    technician: str,
    reason: str,
    ticket: str | None = None,
    duration: timedelta | None = None,
    key: str | None = None,
) -> str:
    """Ask, durably: when this returns, the request outlives every process. Gives the request's id.

    Idempotent by ``key``: asking for the same technician and tenant with the same one changes nothing. Raises
    ``BadInputError``.
    """
    try:
        request = AccessRequest(
            tenant=tenant,
            technician=technician,
            request_id=request_id(tenant, technician, _key(key)),
            reason=reason,
            ticket=ticket,
            duration=duration,
            asked_at=app.clock(),
        )
    except ValidationError as error:
        raise BadInputError.of(error) from None
    await send_request(actor, app, request)
    return request.request_id


def _key(chosen: str | None) -> str:
    if chosen is None:
        return uuid4().hex[:10]
    try:
        return TypeAdapter[str](RequestKey).validate_python(chosen)
    except ValidationError:
        raise BadInputError(
            "key: at most 100 letters, digits, dots, dashes and underscores, beginning with a letter or digit"
        ) from None


@asks(Verb.REQUEST_ACCESS)
async def send_request(actor: Actor, app: App, request: AccessRequest) -> None:
    """Have the request decided. Idempotent by its id."""
    signed = SignedAccessRequest(request=request, assertion=app.sign(actor, request))
    client = await app.temporal()
    with suppress(WorkflowAlreadyStartedError):  # asked before, and over: the first outcome stands
        await client.start_workflow(
            ACCESS_GRANT,
            GrantInput(request=request),
            id=workflow_id(request.request_id),
            task_queue=app.settings.task_queue,
            # An id shared by successive grants would let a reset of the old run end the live one.
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            start_signal=REQUEST_ACCESS,
            start_signal_args=[signed],
            static_summary=escape(f"{request.technician} in {request.tenant}: {request.reason[:150]}"),
            static_details=DETAILS,
        )


@asks(Verb.SHOW_STATUS)
async def await_decision(actor: Actor, app: App, request_id: str) -> GrantStatus:
    """The status once the request is decided; after 30 seconds as it stands then, ``asked`` where no worker lives."""
    workflow = await app.workflow_of(request_id)
    try:
        async with asyncio.timeout(WAIT_FOR_DECISION.total_seconds()):
            return await _decided(workflow)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        pass
    except WorkflowUpdateFailedError:
        return await show_status(actor, app, request_id)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:  # over already
            return await show_status(actor, app, request_id)
        if error.status is not RPCStatusCode.FAILED_PRECONDITION:
            raise
    status = await show_status(actor, app, request_id)
    if status.state is not GrantState.ASKED:  # decided, and waiting for something that the ledger tells
        return status
    return GrantStatus(request_id=request_id, state=GrantState.ASKED, sentence="Not decided yet. Is a worker running?")


async def _decided(workflow: WorkflowHandle[Any, GrantStatus]) -> GrantStatus:
    status: GrantStatus = await workflow.execute_update(DECISION, id=f"decision-{uuid4().hex}", result_type=GrantStatus)
    return status
