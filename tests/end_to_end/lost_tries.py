"""How Temporal came to know that a step had died with its worker: by its silence, or at the end of its time."""

from __future__ import annotations

from typing import Any

from temporalio.api.enums.v1 import EventType, TimeoutType
from temporalio.client import WorkflowHandle

SILENCE = TimeoutType.TIMEOUT_TYPE_HEARTBEAT


async def lost_try(workflow: WorkflowHandle[Any, Any], step: str) -> TimeoutType.ValueType | None:
    """The timeout that ended the last try of a step that is still to be done; None: none did."""
    for pending in (await workflow.describe()).raw_description.pending_activities:
        if pending.activity_type.name == step and pending.last_failure.HasField("timeout_failure_info"):
            return pending.last_failure.timeout_failure_info.timeout_type
    return None


async def lost_tries(workflow: WorkflowHandle[Any, Any], step: str) -> set[TimeoutType.ValueType]:
    """The timeouts that ended tries of the step."""
    events = (await workflow.fetch_history()).events
    scheduled = {
        event.event_id
        for event in events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        and event.activity_task_scheduled_event_attributes.activity_type.name == step
    }
    started = [
        event.activity_task_started_event_attributes
        for event in events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
    ]
    failures = [one.last_failure for one in started if one.scheduled_event_id in scheduled]
    return {
        failure.timeout_failure_info.timeout_type for failure in failures if failure.HasField("timeout_failure_info")
    }
