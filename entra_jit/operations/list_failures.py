"""List what needs an operator: grants that are parked, stuck or have failed, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from entra_jit.accounts.attempts import gather_bounded
from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import failures, interventions, receipts
from entra_jit.ledger.names import find_tenant
from entra_jit.ledger.rows import state_of
from entra_jit.operations._asking import asks
from entra_jit.policy.failures import FailureClass, Kind, class_of
from entra_jit.policy.reconciliation import GRACE
from entra_jit.policy.replaying import Replay, how_to_replay
from entra_jit.temporal.connect import EngineUnreachableError
from entra_jit.temporal.executions import Execution, PendingStep, look_at, running_grants
from models.actor import Actor
from models.errors import SettingsError
from models.messages import FailureType, GrantState, GrantStatus, Receipt, StuckStep
from models.names import workflow_id
from models.tables import GrantRow, Request

LONG_PAUSE = timedelta(seconds=10)
"""A step of provisioning that waits less than this between two tries is no failure yet."""

LAG = frozenset({FailureType.NOT_YET_VISIBLE, FailureType.READ_BACK_DISAGREES})
LAGS_FOR = timedelta(minutes=1)
"""A directory that lags catches up; it is a failure only when the waits have become this long."""

LOOKS_AT_ONCE = 16


class Failure(BaseModel):
    """A grant that needs an operator, with the sentence that it reported."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    tenant: str
    technician: str
    state: GrantState
    since: AwareDatetime
    failure: FailureType | None
    failure_class: FailureClass
    """Who has to do something about it."""
    remedy: Replay | None
    """What a replay would do; None: nothing."""
    sentence: str
    steps: tuple[StuckStep, ...] = ()


@dataclass(frozen=True)
class Selection:
    """Which failures. ``since``: how long ago something failed at most; what is not over yet is always meant."""

    tenant: str | None = None
    kind: Kind | None = None
    since: timedelta = timedelta(hours=24)

    def takes(self, failure: Failure) -> bool:
        """Whether its kind is meant."""
        return self.kind is None or failure.failure in self.kind.failures


@dataclass(frozen=True)
class Failures:
    """What was found, the oldest first."""

    found: list[Failure]
    unseen: str | None = None
    """Why steps that are stuck just now are not among them: Temporal could not be asked."""


@asks(Verb.LIST_FAILURES)
async def list_failures(actor: Actor, app: App, selection: Selection, *, asks_temporal: bool = True) -> Failures:
    """What needs an operator: the ledger knows parked and failed grants, Temporal the steps that are stuck now.

    A grant whose account was closed beside its workflow needs nothing: the reconciler settles it. ``asks_temporal``
    False: it is known not to answer. Raises ``NotFoundError``.
    """
    now = app.clock()
    async with app.ledger.transaction() as session:
        tenant = await find_tenant(session, selection.tenant) if selection.tenant is not None else None
        live = await failures.live(session, tenant)
        over = await failures.ended_in_failure(session, now - selection.since, tenant)
        written = await receipts.of_rows(session, (receipt for *_, receipt in over))
        closed = await interventions.proofs(session, [grant for _, grant in live])
    live = [(request, grant) for request, grant in live if request.id not in closed]
    known = [failure for request, grant in live if (failure := _parked_or_overdue(request, grant, now))]
    told = {failure.request_id for failure in known}
    others = [(request, grant) for request, grant in live if request.id not in told]
    unseen, stuck = None if asks_temporal else "Stuck steps cannot be listed while Temporal is away.", list[Failure]()
    try:
        stuck = await _stuck(app, await app.temporal(), others) if others and asks_temporal else []
    except (EngineUnreachableError, SettingsError, RPCError) as error:
        unseen = f"Stuck steps cannot be listed. {error}"
    found = [*(_over(request, grant, written[request.id]) for request, grant, _ in over), *known, *stuck]
    return Failures(sorted(filter(selection.takes, found), key=lambda failure: failure.since), unseen)


def _parked_or_overdue(request: Request, grant: GrantRow, now: datetime) -> Failure | None:
    """What the ledger knows by itself."""
    if grant.parked_at is not None:
        failure = FailureType(grant.failure) if grant.failure else None
        return _failure(request, GrantState.PARKED, grant.parked_at, failure, grant.parked_because or "")
    if grant.closing_at is None and grant.expires_at is not None and now >= grant.expires_at + GRACE:
        sentence = "It has expired. Closing has not started. Is a worker running?"
        return _failure(request, state_of(request, grant), grant.expires_at, None, sentence)
    return None


def _over(request: Request, grant: GrantRow | None, receipt: Receipt) -> Failure:
    ending = receipt.ending
    unproven = grant is not None and grant.closed_at is None and ending.state is not GrantState.ABANDONED
    sentence = f"{ending.sentence} Not proven closed: {receipt.proof}." if unproven else ending.sentence
    return _failure(request, ending.state, receipt.settled_at, ending.failure, sentence)


def _failure(
    request: Request,
    state: GrantState,
    since: datetime | None,
    failure: FailureType | None,
    sentence: str,
    steps: tuple[StuckStep, ...] = (),
) -> Failure:
    how = how_to_replay(GrantStatus(request_id=request.id, state=state))
    return Failure(
        request_id=request.id,
        tenant=request.tenant,
        technician=request.technician,
        state=state,
        since=since or request.asked_at,
        failure=failure,
        failure_class=class_of(failure),
        remedy=how if isinstance(how, Replay) else None,
        sentence=sentence,
        steps=steps,
    )


async def _stuck(app: App, client: Client, live: Sequence[tuple[Request, GrantRow]]) -> list[Failure]:
    open_as_they_should = await running_grants(client, GrantState.OPEN)

    async def look(row: tuple[Request, GrantRow]) -> Failure | None:
        request, grant = row
        execution = await _execution(client, request.id)
        if execution is None or execution.status is not WorkflowExecutionStatus.RUNNING:
            return await _without_workflow(app, request, grant)
        return _in_retries(request, grant, execution)

    others = [row for row in live if workflow_id(row[0].id) not in open_as_they_should]
    looked = await gather_bounded(LOOKS_AT_ONCE, look, others)
    return [failure for failure in looked if failure is not None]


async def _execution(client: Client, request_id: str) -> Execution | None:
    try:
        return await look_at(client, workflow_id(request_id))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None


async def _without_workflow(app: App, request: Request, grant: GrantRow) -> Failure | None:
    """A workflow that is over may have settled its grant since the ledger was read; one that has not is gone."""
    async with app.ledger.transaction() as session:
        if await receipts.of_request(session, request.id) is not None:
            return None
    sentence = "Its workflow is gone, perhaps terminated: the reconciler closes and settles it after its expiry."
    return _failure(request, state_of(request, grant), grant.closing_at, None, sentence)


def _in_retries(request: Request, grant: GrantRow, execution: Execution) -> Failure | None:
    if not (stuck := [step for step in execution.steps if _matters(step, grant)]):
        return None
    worst = max(stuck, key=lambda step: step.attempt)
    steps = tuple(step.shown for step in stuck)
    return _failure(request, state_of(request, grant), grant.closing_at, worst.failure, worst.sentence, steps)


def _matters(step: PendingStep, grant: GrantRow) -> bool:
    """A closing that has failed once matters; provisioning only once it waits for long."""
    if step.is_paused:
        return True
    if step.failure is FailureType.PAUSED:
        return False  # a tenant that is paused is shown among the holds
    if step.failure in LAG:
        return step.pause >= LAGS_FOR
    return grant.closing_at is not None or step.pause >= LONG_PAUSE
