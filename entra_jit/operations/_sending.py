"""Sending a request to be decided: a technician's own, the canary's, or one that is taken up again."""

from __future__ import annotations

from contextlib import suppress

from temporalio.client import Client
from temporalio.common import TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from entra_jit.app import App
from models import search_attributes
from models.actor import Actor
from models.markdown import escape
from models.messages import AccessRequest, GrantInput, SignedAccessRequest
from models.names import ACCESS_GRANT, GRANT_DETAILS, REQUEST_ACCESS, workflow_id


async def send_request(actor: Actor, app: App, request: AccessRequest) -> None:
    """Have the request decided. Idempotent by its id. The caller has asked whether ``actor`` may."""
    signed = SignedAccessRequest(request=request, assertion=app.sign(actor, request))
    client = await app.temporal()
    with suppress(WorkflowAlreadyStartedError):  # asked before, and over: the first outcome stands
        try:
            await _start(client, app.settings.task_queue, signed, search_attributes.at_start(request))
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
            # A namespace that no worker has ever served does not know them. The workflow sets them when one does.
            await _start(client, app.settings.task_queue, signed, TypedSearchAttributes.empty)


async def _start(client: Client, task_queue: str, signed: SignedAccessRequest, found_by: TypedSearchAttributes) -> None:
    request = signed.request
    await client.start_workflow(
        ACCESS_GRANT,
        GrantInput(request=request),
        id=workflow_id(request.request_id),
        task_queue=task_queue,
        # An id shared by successive grants would let a reset of the old run end the live one.
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        start_signal=REQUEST_ACCESS,
        start_signal_args=[signed],
        search_attributes=found_by,
        static_summary=escape(f"{request.technician} in {request.tenant}: {request.reason[:150]}"),
        static_details=GRANT_DETAILS,
    )
