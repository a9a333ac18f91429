"""What Temporal knows of workflows: which run, and which of their steps have failed and wait for another try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import ResetActivityRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError

from models.messages import FailureType, GrantState, StuckStep
from models.names import ACCESS_GRANT
from models.search_attributes import GRANT_STATE

STOPPED_BY_HAND = frozenset({"ActivityPause", "ActivityReset"})
"""The SDK's name for the failure of a step that was paused or reset while it ran."""


@dataclass(frozen=True)
class PendingStep:
    """An activity that has failed at least once, and is being tried again or waits for it."""

    id: str
    name: str
    attempt: int
    next_try: datetime | None
    """None while it is being tried."""
    pause: timedelta
    """How long it waits between the last two tries."""
    is_paused: bool
    """Paused in Temporal: there is no next try."""
    failure: FailureType | None
    sentence: str

    @property
    def is_waiting(self) -> bool:
        """Nothing is being done for it just now."""
        return self.next_try is not None or self.is_paused

    @property
    def shown(self) -> StuckStep:
        """The step as people read it."""
        return StuckStep(
            name=self.name,
            attempt=self.attempt,
            answer=self.sentence,
            next_try=self.next_try,
            paused=self.is_paused,
        )


@dataclass(frozen=True)
class Execution:
    """What Temporal knows of a workflow."""

    status: WorkflowExecutionStatus
    steps: tuple[PendingStep, ...]


CUT_OFF = frozenset({WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT})
"""How a workflow ends that does not come to its own end."""


class Attention(StrEnum):
    """Whether a workflow hears what it is told."""

    HEARS = "it has heard all that it was told"
    WAITS = "no worker has taken its workflow task"
    FAILS = "its workflow task keeps failing"
    GONE = "it does not run any more, perhaps it was terminated"


async def attention_of(client: Client, workflow_id: str) -> Attention:
    """Whether the workflow has come to what it was sent last. Raises ``RPCError``."""
    raw = (await client.get_workflow_handle(workflow_id).describe()).raw_description
    status = WorkflowExecutionStatus(raw.workflow_execution_info.status)
    if status in CUT_OFF:
        return Attention.GONE
    if status is not WorkflowExecutionStatus.RUNNING or not raw.HasField("pending_workflow_task"):
        return Attention.HEARS
    return Attention.FAILS if raw.pending_workflow_task.attempt > 1 else Attention.WAITS


async def look_at(client: Client, workflow_id: str) -> Execution:
    """The workflow as it stands. Raises ``RPCError``, NOT_FOUND for one that Temporal does not know."""
    raw = (await client.get_workflow_handle(workflow_id).describe()).raw_description
    failed = [pending for pending in raw.pending_activities if pending.HasField("last_failure") or pending.paused]
    return Execution(
        status=WorkflowExecutionStatus(raw.workflow_execution_info.status),
        steps=tuple([await _step(client, pending) for pending in failed]),
    )


async def running_grants(client: Client, state: GrantState) -> set[str]:
    """The workflow ids of all grants that run and show this state; a second or so behind. Raises ``RPCError``."""
    query = f'WorkflowType = "{ACCESS_GRANT}" AND ExecutionStatus = "Running" AND {GRANT_STATE.name} = "{state}"'
    return {execution.id async for execution in client.list_workflows(query, page_size=1000)}


async def try_now(client: Client, workflow_id: str, step: PendingStep) -> None:
    """End the step's wait, or its pause; its attempts count from one again. Repeating it changes nothing.

    What its earlier tries have noted is kept: the removal of roles goes on from there. Raises ``RPCError``, NOT_FOUND
    for a step that is done meanwhile.
    """
    await client.workflow_service.reset_activity(
        ResetActivityRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id),
            identity=client.identity,
            id=step.id,
        )
    )


async def _step(client: Client, pending: PendingActivityInfo) -> PendingStep:
    scheduled = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    waits = scheduled and pending.HasField("next_attempt_schedule_time")
    failure, sentence = await _said(client, pending)
    return PendingStep(
        id=pending.activity_id,
        name=pending.activity_type.name,
        attempt=pending.attempt,
        next_try=pending.next_attempt_schedule_time.ToDatetime(tzinfo=UTC) if waits else None,
        pause=pending.current_retry_interval.ToTimedelta(),
        is_paused=pending.paused,
        failure=failure,
        sentence=sentence,
    )


async def _said(client: Client, pending: PendingActivityInfo) -> tuple[FailureType | None, str]:
    """Type and words of the step's last failure."""
    if not pending.HasField("last_failure"):
        return FailureType.PAUSED, "It is paused in Temporal."
    error = await client.data_converter.decode_failure(pending.last_failure)
    if not isinstance(error, ApplicationError):
        return None, str(error)  # a step whose worker died has reported nothing
    if error.type in STOPPED_BY_HAND:
        return FailureType.PAUSED, "It was paused or reset in Temporal while it ran."
    return FailureType(error.type or ""), error.message
