"""Ask for administrator access to a tenant."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from pydantic import TypeAdapter, ValidationError
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError, RPCStatusCode

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import requests
from entra_jit.ledger.database import LedgerUnavailableError
from entra_jit.ledger.names import find_technician, find_tenant
from entra_jit.ledger.rows import as_request
from entra_jit.operations._asking import asks
from entra_jit.operations._sending import send_request
from entra_jit.operations.show_status import show_status
from entra_jit.temporal.codec import StillSealedError
from models.actor import Actor
from models.errors import BadInputError, RefusedError
from models.marks import CANARY_NAME
from models.messages import AccessRequest, GrantState, GrantStatus, RequestKey
from models.names import DECISION, request_id

WAIT_FOR_DECISION = timedelta(seconds=30)


class KeyTakenError(RefusedError):
    """The caller's key belongs to a request that asked for something else."""

    advice = "Use another key; `status` shows that request."


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
    access: Sequence[str] | None = None,
    key: str | None = None,
) -> str:
    """Ask, durably: when this returns, the request outlives every process. Gives the request's id.

    Idempotent by ``key``: asking for the same with the same one changes nothing. Raises ``BadInputError``,
    ``NotFoundError``, or ``KeyTakenError``. ``access``: names or ids of the roles and security groups that are wanted;
    None: all that the role mappings give. While the ledger is away a request is taken as it was typed.
    """
    if technician.strip().lower() == CANARY_NAME:
        raise BadInputError(f"{CANARY_NAME} is the doctor's: `starter.py tenant canary TENANT` runs it.")
    with suppress(LedgerUnavailableError):
        async with app.ledger.transaction() as session:
            tenant = (await find_tenant(session, tenant)).name
            technician = (await find_technician(session, technician)).name
    try:
        request = AccessRequest(
            tenant=tenant,
            technician=technician,
            request_id=request_id(tenant, technician, _key(key)),
            reason=reason,
            ticket=ticket,
            duration=duration,
            access=None if access is None else tuple(access),
            asked_at=app.clock(),
        )
    except ValidationError as error:
        raise BadInputError.of(error) from None
    with suppress(LedgerUnavailableError):
        await _expect_same(app, request)
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


async def _expect_same(app: App, request: AccessRequest) -> None:
    """Raises ``KeyTakenError`` where another request has the id; names may belong to others than when it was made."""
    async with app.ledger.transaction() as session:
        row = await requests.by_id(session, request.request_id)
        if row is None:
            return
        tenant = await find_tenant(session, request.tenant)
        technician = await find_technician(session, request.technician)
    same_request = as_request(row).model_copy(update={"asked_at": request.asked_at}) == request
    same_parties = row.tenant_id in (None, tenant.id) and row.technician_id in (None, UUID(technician.id))
    if not (same_request and same_parties):
        raise KeyTakenError(f"The request {request.request_id} was made before, and asked for something else.")


@asks(Verb.SHOW_STATUS)
async def await_decision(actor: Actor, app: App, request_id: str) -> GrantStatus:
    """The status once the request is decided; after 30 seconds as it stands then, ``asked`` where no worker lives."""
    workflow = await app.workflow_of(request_id)
    try:
        async with asyncio.timeout(WAIT_FOR_DECISION.total_seconds()):
            return await _decided(workflow)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        pass
    except (WorkflowUpdateFailedError, StillSealedError):  # the latter in the portal, which opens no history
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
