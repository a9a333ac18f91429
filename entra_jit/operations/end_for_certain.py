"""End a grant and see to it that this is done: by its workflow, or where that does not take it, from here.

Temporal answers "ok" as soon as it has a signal or a cancellation. A workflow whose task keeps failing, that no worker
carries on, or that was terminated does nothing with it, and its account would stay open until its expiry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from enum import Enum, StrEnum, auto
from typing import Any

from pydantic import BaseModel, ConfigDict
from temporalio.service import RPCError

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import grants
from entra_jit.ledger.database import LedgerUnavailableError
from entra_jit.ledger.fences import fence_all
from entra_jit.operations._asking import asks
from entra_jit.operations._live_workflows import WorkflowGoneError
from entra_jit.operations.close_all import PATIENCE, Stopping
from entra_jit.operations.end_access import end_access
from entra_jit.temporal.connect import EngineUnreachableError
from entra_jit.temporal.executions import Attention, attention_of
from models.actor import Actor
from models.errors import SettingsError, UnreachableError
from models.holds import StoppedGrant, StopState
from models.names import workflow_id
from models.plain_text import plain

ANSWERS_WITHIN = timedelta(seconds=10)
"""How long Temporal may take to accept the message."""

TAKEN_WITHIN = timedelta(seconds=20)
"""How long a workflow that nothing is known to be wrong with may take to begin closing."""

SETTLED = "The command line closed and settled the grant; its workflow did not react."

Send = Callable[[Actor, App, str, str | None], Coroutine[Any, Any, None]]


class EndedBy(StrEnum):
    """What has become of an end."""

    WORKFLOW = "workflow"
    """The grant's own workflow has taken it, and closes the account for as long as that takes."""
    EMERGENCY = "emergency"
    """Its account was closed and read back from here, and the receipt written."""
    NOT_PROVEN = "not proven"
    """Neither: the account may be open."""


class _Stage(Enum):
    """How far a grant is, by the ledger."""

    UNKNOWN = auto()
    """The ledger is away."""
    NO_GRANT = auto()
    LIVE = auto()
    FENCED = auto()
    """Nothing of it opens any more: it is parked or being closed."""
    OVER = auto()


class Ended(BaseModel):
    """How a grant was ended."""

    model_config = ConfigDict(frozen=True)

    by: EndedBy
    sentence: str


@asks(Verb.END_ACCESS)
async def end_for_certain(
    actor: Actor,
    app: App,
    request_id: str,
    reason: str | None = None,
    *,
    send: Send = end_access,
    patience: timedelta = PATIENCE,
) -> Ended:
    """Close the account now, by its workflow or, where that fails, from here.

    ``send``: ``end_access`` or ``cancel_access``, whose errors about input and about grants that are over are raised as
    they are. Idempotent.
    """
    before = await _stage(app, request_id)
    unsent = await _send(actor, app, send, request_id, reason)
    untaken = unsent or await _why_untaken(app, request_id, before)
    if untaken is None:
        return Ended(by=EndedBy.WORKFLOW, sentence=f"Ending {request_id}.")
    try:
        async with app.ledger.transaction() as session:
            live = await fence_all(session, app.clock(), actor, request_id=request_id)
    except LedgerUnavailableError as error:
        raise UnreachableError(
            f"{_untaken(request_id, untaken)} It cannot be closed from this machine: {error}"
        ) from None
    if not live and unsent:
        raise UnreachableError(f"{unsent}. The ledger has no live grant {request_id}.")
    if not live and await _stage(app, request_id) is _Stage.OVER:
        return Ended(by=EndedBy.WORKFLOW, sentence=f"Ending {request_id}.")
    if not live:
        # Not decided yet, most likely; but a ledger that was restored may have forgotten what is open.
        sentence = f"{_untaken(request_id, untaken)} The ledger has no live grant of it to close."
        return Ended(by=EndedBy.NOT_PROVEN, sentence=sentence)
    said = plain(reason) if reason else None
    stopping = Stopping(app, actor, said, live, patience=patience, settled=SETTLED, even_if_held=False)
    await stopping.run_alone()
    return _told(stopping.grants[0], untaken)


def _told(grant: StoppedGrant, untaken: str) -> Ended:
    proven = grant.state is StopState.CLOSED
    sentences = (
        _untaken(grant.request_id, untaken),
        f"The account {grant.account_name} was closed from this machine: {grant.sentence}."
        if proven
        else f"The account {grant.account_name} is not proven closed: {grant.sentence}. "
        "Run it again; the reconciler keeps trying.",
        "See docs/runbook.md for its workflow.",
    )
    return Ended(by=EndedBy.EMERGENCY if proven else EndedBy.NOT_PROVEN, sentence=" ".join(sentences))


def _untaken(request_id: str, why: str) -> str:
    return f"The workflow of the grant {request_id} has not reacted: {why}."


async def _send(actor: Actor, app: App, send: Send, request_id: str, reason: str | None) -> str | None:
    """Why the workflow could not be told; None: Temporal has it."""
    try:
        async with asyncio.timeout(ANSWERS_WITHIN.total_seconds()):
            await send(actor, app, request_id, reason)
    except WorkflowGoneError:
        return Attention.GONE
    except (EngineUnreachableError, SettingsError) as error:
        return str(error)
    except RPCError as error:
        return f"Temporal refused: {error.message}"
    except TimeoutError:
        return "Temporal does not answer"
    return None


async def _why_untaken(app: App, request_id: str, before: _Stage) -> str | None:
    """Wait until the workflow has taken what it was told; why it has not, or None."""
    loop = asyncio.get_running_loop()
    until = loop.time() + TAKEN_WITHIN.total_seconds()
    while True:
        attention = await _attention(app, request_id)
        if _is_taken(before, await _stage(app, request_id), attention):
            return None
        if attention in (Attention.FAILS, Attention.GONE):
            return attention
        if loop.time() >= until:
            return attention if attention is Attention.WAITS else "closing has not started"
        await asyncio.sleep(0.2)


def _is_taken(before: _Stage, now: _Stage, attention: Attention) -> bool:
    """Whether the workflow has begun to close.

    The fence shows it, unless it stood before, as that of a parked grant does, or of one that an emergency stop has
    closed. There, and where the ledger says nothing, all that can be known is that the workflow has heard.
    """
    if now is _Stage.OVER:
        return True
    if now is _Stage.LIVE:
        return False
    if now is _Stage.FENCED and before in (_Stage.LIVE, _Stage.NO_GRANT):
        return True
    return attention is Attention.HEARS


async def _attention(app: App, request_id: str) -> Attention:
    try:
        async with asyncio.timeout(ANSWERS_WITHIN.total_seconds()):
            return await attention_of(await app.temporal(), workflow_id(request_id))
    except (RPCError, TimeoutError):
        return Attention.WAITS


async def _stage(app: App, request_id: str) -> _Stage:
    try:
        async with app.ledger.transaction() as session:
            grant = await grants.by_id(session, request_id)
    except LedgerUnavailableError:
        return _Stage.UNKNOWN
    if grant is None:
        return _Stage.NO_GRANT
    if grant.settled_at is not None:
        return _Stage.OVER
    return _Stage.LIVE if grant.closing_at is None else _Stage.FENCED
