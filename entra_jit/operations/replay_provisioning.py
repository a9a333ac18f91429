"""Take up again what failed, without typing it anew. Safe to repeat: a second time finds it done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from pydantic import BaseModel, ConfigDict
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from entra_jit.app import App
from entra_jit.identity.authorize import Verb, authorize
from entra_jit.ledger import configuration, events, failures, grants, requests, statuses
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.rows import as_request
from entra_jit.operations._asking import asks
from entra_jit.operations._live_workflows import why_gone
from entra_jit.operations._sending import send_request
from entra_jit.operations.request_access import await_decision
from entra_jit.operations.retry_provisioning import retry_provisioning
from entra_jit.operations.show_status import show_status
from entra_jit.policy.replaying import NoReplay, Replay, how_to_replay, id_of_replay
from entra_jit.temporal.executions import look_at, try_now
from models.actor import Actor
from models.errors import RefusedError, UnreachableError
from models.events import EventKind
from models.messages import AccessRequest, GrantState, GrantStatus
from models.names import workflow_id
from models.tables import GrantRow, Request

AT_ONCE = 16

GOES_ON = frozenset({GrantState.ASKED, GrantState.PREPARING, GrantState.OPEN})


class Replayed(BaseModel):
    """What has become of one grant."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    how: Replay | None = None
    """None where nothing could be done."""
    replayed_as: str | None = None
    """The new request, where there is one."""
    sentence: str
    goes_on: bool
    """False: it still needs an operator."""


@asks(Verb.REPLAY_PROVISIONING)
async def replay_provisioning(actor: Actor, app: App, request_id: str) -> Replayed:
    """Take up the last of the request's line: try it again, try it now, or ask anew in its place.

    Raises ``NotFoundError``, or ``RefusedError`` where there is nothing to take up.
    """
    async with app.ledger.transaction() as session:
        named = await requests.by_id(session, request_id)
        last = await failures.last_of_line(session, named) if named else None
        grant = await grants.by_id(session, last.id) if last else None
        status = await statuses.of_request(session, last.id, app.clock()) if last else None
    if last is None or status is None:
        raise RefusedError(f"{(await show_status(actor, app, request_id)).sentence} There is nothing to replay.")
    how = how_to_replay(status)
    if isinstance(how, NoReplay):
        if last.id != request_id and status.state in GOES_ON:
            return _replayed_before(request_id, status)
        raise RefusedError(how.sentence)
    if how is Replay.ASK_ANEW:
        return await _ask_anew(actor, app, request_id, last, grant)
    if how is Replay.RETRY:
        await retry_provisioning(actor, app, last.id)
        sentence = f"Trying {last.id} again."
    else:
        tried = await _try_now(actor, app, last.id)
        sentence = f"Trying {', '.join(tried)} of {last.id} now." if tried else f"No step of {last.id} is waiting."
    return Replayed(request_id=last.id, how=how, sentence=sentence, goes_on=True)


async def replay_each(actor: Actor, app: App, request_ids: Iterable[str]) -> AsyncIterator[Replayed]:
    """Take all of them up again, and tell what became of each as it is known. What refuses stops no other."""
    authorize(actor, Verb.REPLAY_PROVISIONING)
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(request_id: str) -> Replayed:
        async with at_once:
            try:
                return await replay_provisioning(actor, app, request_id)
            except (RefusedError, UnreachableError) as error:
                return Replayed(request_id=request_id, sentence=str(error), goes_on=False)

    for replayed in asyncio.as_completed([one(request_id) for request_id in request_ids]):
        yield await replayed


def _replayed_before(request_id: str, status: GrantStatus) -> Replayed:
    sentence = f"Replayed before as {status.request_id}, which is {status.state}: {status.sentence}"
    return Replayed(request_id=request_id, replayed_as=status.request_id, sentence=sentence, goes_on=True)


async def _ask_anew(actor: Actor, app: App, request_id: str, failed: Request, grant: GrantRow | None) -> Replayed:
    replay = id_of_replay(failed.id, failed.replay_of)
    await _expect_free(app, replay)
    tenant, technician = await _names(app, failed, grant)
    request = AccessRequest(
        request_id=replay,
        tenant=tenant,
        technician=technician,
        reason=failed.reason,
        ticket=failed.ticket,
        duration=failed.duration,
        access=as_request(failed).access,
        asked_at=app.clock(),
        replay_of=failed.id,
    )
    await send_request(actor, app, request)
    status = await await_decision(actor, app, replay)
    return Replayed(
        request_id=request_id,
        how=Replay.ASK_ANEW,
        replayed_as=replay,
        sentence=f"Replayed as {replay}, which is {status.state}: {status.sentence}",
        goes_on=status.state in GOES_ON,
    )


async def _expect_free(app: App, request_id: str) -> None:
    """Requesters choose ids: another request may have this one already."""
    async with app.ledger.transaction() as session:
        if await requests.by_id(session, request_id) is not None:
            raise RefusedError(f"The id of the replay, {request_id}, belongs to another request. Request again.")


async def _names(app: App, failed: Request, grant: GrantRow | None) -> tuple[str, str]:
    """What the same tenant and the same technician are called today. Raises ``RefusedError``."""
    if grant is None:  # it failed before the technician was looked up
        return failed.tenant, failed.technician
    async with app.ledger.transaction() as session:
        names = await configuration.names_now(session, grant.tenant_id, grant.technician_id)
    if names is None:
        raise RefusedError(
            f"The grant {failed.id} is not replayed: {failed.technician} or {failed.tenant} is no longer configured."
        )
    return names


async def _try_now(actor: Actor, app: App, request_id: str) -> list[str]:
    """End the waits of the grant's steps; the names of those that waited."""
    client = await app.temporal()
    workflow = workflow_id(request_id)
    tried = []
    try:
        execution = await look_at(client, workflow)
        if execution.status is not WorkflowExecutionStatus.RUNNING:
            raise await why_gone(actor, app, request_id)
        for step in execution.steps:
            if step.is_waiting:
                await try_now(client, workflow, step)
                tried.append(step.name)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
    if tried:
        async with app.ledger.transaction() as session:
            body = {"steps": tried, "at": app.clock()}
            await events.append(session, NewEvent(EventKind.TRIED_NOW, actor, body, request_id))
    return tried
