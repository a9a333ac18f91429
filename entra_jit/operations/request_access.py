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

from entra_jit.operations.deployment import Deployment
from entra_jit.operations.show_status import show_status
from models.errors import BadInputError
from models.markdown import escape
from models.messages import AccessRequest, GrantState, GrantStatus, RequestKey, SignedAccessRequest
from models.names import ACCESS_GRANT, DECISION, REQUEST_ACCESS, request_id, workflow_id

WAIT_FOR_DECISION = timedelta(seconds=30)


async def request_access(
    deployment: Deployment,
    actor: str,
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
            asked_at=deployment.clock(),
        )
    except ValidationError as error:
        raise BadInputError.of(error) from None
    await send_request(deployment, actor, request)
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


async def send_request(deployment: Deployment, actor: str, request: AccessRequest) -> None:
    """Have the request decided. Idempotent by its id."""
    signed = SignedAccessRequest(request=request, assertion=deployment.sign(actor, request))
    client = await deployment.engine()
    with suppress(WorkflowAlreadyStartedError):  # asked before, and over: the first outcome stands
        await client.start_workflow(
            ACCESS_GRANT,
            id=workflow_id(request.request_id),
            task_queue=deployment.task_queue,
            # An id shared by successive grants would let a reset of the old run end the live one.
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            start_signal=REQUEST_ACCESS,
            start_signal_args=[signed],
            static_summary=escape(f"{request.technician} in {request.tenant}: {request.reason[:150]}"),
            static_details="A technician's just-in-time access to a customer's tenant, from asking to receipt.",
        )


async def await_decision(deployment: Deployment, request_id: str) -> GrantStatus:
    """The status once the request is decided; after 30 seconds as it stands then, ``asked`` where no worker lives."""
    workflow = await deployment.workflow_of(request_id)
    try:
        async with asyncio.timeout(WAIT_FOR_DECISION.total_seconds()):
            return await _decided(workflow)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        pass
    except WorkflowUpdateFailedError:
        return await show_status(deployment, request_id)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:  # over already
            return await show_status(deployment, request_id)
        if error.status is not RPCStatusCode.FAILED_PRECONDITION:
            raise
    status = await show_status(deployment, request_id)
    if status.state is not GrantState.ASKED:  # decided, and waiting for something that the ledger tells
        return status
    return GrantStatus(request_id=request_id, state=GrantState.ASKED, sentence="Not decided yet. Is a worker running?")


async def _decided(workflow: WorkflowHandle[Any, GrantStatus]) -> GrantStatus:
    status: GrantStatus = await workflow.execute_update(DECISION, id=f"decision-{uuid4().hex}", result_type=GrantStatus)
    return status
