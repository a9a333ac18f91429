"""Where a worker may die in the life of a grant: before, in and after every activity. And how it comes to that."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import UpdateActivityOptionsRequest
from temporalio.client import WorkflowUpdateStage

from models.messages import Extension, GrantState, Renewal, SignedExtension, SignedRenewal
from tests.actors import TESTER
from tests.end_to_end import dying_worker
from tests.end_to_end.dying_worker import Point, Suicide
from tests.end_to_end.grant_calls import CLOSING_WRITES, FIRST_IS_A_TRIAL, OPENING_WRITES, READS_BEFORE_WRITING
from tests.patience import PATIENCE_SECONDS
from tests.stage import Scene, variant

SWEEP, BASELINE = "read what it owns", "read what it owns already"

OWNED = {"method": "GET", "path": "/users/*/ownedObjects"}

CALLS: Mapping[str, Mapping[str, object]] = {
    **READS_BEFORE_WRITING,
    **OPENING_WRITES,
    **CLOSING_WRITES,
    SWEEP: OWNED,
    BASELINE: OWNED,
}

OPENING: dict[str, Mapping[str, object] | None] = {
    "decide": None,
    "ready": OPENING_WRITES["create the account"],
    "give": OPENING_WRITES["assign a role"],
    "park": None,
    "unpark": None,
    "arm": None,
    "open": OPENING_WRITES["enable"],
    "extend_grant": {"method": "PATCH", "path": "/users/*", "body_contains": '"extensionAttribute15":"'},
    "renew_credential": {**OPENING_WRITES["make the pass"], "skip": 1},
}
"""What widens access, each by the call in whose middle it dies; None: it dies in the middle of its transaction."""

CLOSING: dict[str, Mapping[str, object] | None] = {
    "close": {**CLOSING_WRITES["disable"], **FIRST_IS_A_TRIAL},
    "settle": None,
}
"""What narrows it."""

STEPS = OPENING | CLOSING | {"raise_alarm": None}

FURTHER: dict[str, tuple[str, ...]] = {
    "ready": ("read the domain", "look for the account"),
    "give": ("make the pass", BASELINE),
    "close": ("remove a role", "clear the mark"),
    "settle": (SWEEP,),
}
"""Other calls in whose middle it dies, of steps that make several kinds."""

LEDGER_AWAY = ("fence",)
"""What is done only where the ledger was away at the closing: one transaction, which can be repeated."""

RECONCILIATION = ("list_tenants", "reconcile_tenants", "list_reviews", "review_tenant")
"""What belongs to no grant: see test_a_reconciliation_killed_anywhere.py."""

TROUBLE: dict[str, dict[str, object]] = {
    "park": {**OPENING_WRITES["assign a role"], "status": 403, "count": 1},
    "unpark": {**READS_BEFORE_WRITING["read the domain"], "status": 403, "count": 1},
    "raise_alarm": {**CLOSING_WRITES["disable"], "status": 503, "count": 8, **FIRST_IS_A_TRIAL},
}
"""What comes about only when Microsoft refuses something: for good, or for more than two minutes of retries."""

HELD = {"unpark", "extend_grant", "renew_credential"}
"""What people bring about: the grant's time must stand until they have."""

RETURNING = {BASELINE}
"""What is done only for an account that an earlier grant has left."""

HOUR = timedelta(hours=1)
LOOK_EVERY_SECONDS = 0.2
NOTICED_AFTER_SECONDS = 10


@dataclass(frozen=True)
class Place:
    """In which activity, and how far into it."""

    activity: str
    point: Point
    further: str | None = None
    """In the middle of this call, and not of the one that is usual for the activity."""

    def __str__(self) -> str:
        return f"{self.point} {self.activity}{f', to {self.further}' if self.further else ''}"

    @property
    def call(self) -> Mapping[str, object] | None:
        """In whose middle it dies; None: in the middle of a transaction."""
        return CALLS[self.further] if self.further else STEPS[self.activity]


EVERYWHERE = (
    *(Place(activity, point) for activity, point in product(STEPS, Point)),
    *(Place(activity, Point.IN, call) for activity, calls in FURTHER.items() for call in calls),
)


def alone(stage: Scene, customer: str) -> Scene:
    """The part of the stage on which one worker dies: a customer and a task queue of its own."""
    settings = stage.settings.model_copy(update={"task_queue": f"{stage.settings.task_queue}-{customer}"})
    return replace(
        stage,
        customers=(customer,),
        settings=settings,
        app=variant(stage.app, settings=settings),
        workers=[],
    )


async def killed(stage: Scene, place: Place) -> str:
    """Ask for an hour, and let the worker that serves it die at ``place``; the request's id."""
    call = place.call
    from_outside = place.point is Point.IN and call is not None
    suicide = None if from_outside else Suicide(place.activity, place.point)
    process = dying_worker.start(stage.settings, _address(stage), suicide)
    try:
        if place.further in RETURNING:
            await stage.receipt(await stage.ask(hours=1))
        under_way = stage.hold(**call, **_outcome(place)) if from_outside and call else None
        request_id = await _brought_to(stage, place.activity)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while process.is_alive():
                await asyncio.sleep(LOOK_EVERY_SECONDS)
                if under_way and stage.hits(under_way):
                    process.kill()
        assert process.exitcode == -signal.SIGKILL, f"{place}: it ended by itself"
        if under_way:
            await stage.lands(under_way)
    finally:
        process.kill()
    return request_id


def _outcome(place: Place) -> dict[str, object]:
    """The worse one of a call whose caller is dead: an opening happens, a closing does not."""
    return {} if place.activity in OPENING else {"drop": "before"}


async def _brought_to(stage: Scene, activity: str) -> str:
    """A request whose grant comes to the activity, by itself or with what people do."""
    if activity in TROUBLE:
        stage.fault(**TROUBLE[activity])
    request_id = await stage.ask(hours=1, held=activity in HELD)
    if activity == "unpark":
        await stage.until(request_id, GrantState.PARKED)
        await stage.workflow(request_id).signal("retry")
    elif activity == "extend_grant":
        status = await stage.until(request_id, GrantState.OPEN)
        assert status.expires_at is not None
        wanted = Extension(request_id=request_id, expires_at=status.expires_at + HOUR, reason="a test")
        signed = SignedExtension(extension=wanted, assertion=stage.app.sign(TESTER, wanted))
        accepted = WorkflowUpdateStage.ACCEPTED
        await stage.workflow(request_id).start_update("extend", signed, wait_for_stage=accepted)
    elif activity == "renew_credential":
        await stage.until(request_id, GrantState.OPEN)
        renewal = Renewal(request_id=request_id)
        renewed = SignedRenewal(renewal=renewal, assertion=stage.app.sign(TESTER, renewal))
        accepted = WorkflowUpdateStage.ACCEPTED
        await stage.workflow(request_id).start_update("renew", renewed, wait_for_stage=accepted)
    return request_id


async def noticed(stage: Scene, request_id: str) -> None:
    """Have Temporal notice within seconds that a step has died; by itself it waits up to 45.

    What an operator in a hurry does with ``temporal activity update-options``. A closing step gives itself away by its
    silence, and is left to that.
    """
    workflow = stage.workflow(request_id)
    for pending in (await workflow.describe()).raw_description.pending_activities:
        if pending.activity_type.name not in CLOSING:
            await stage.services.client.workflow_service.update_activity_options(
                UpdateActivityOptionsRequest(
                    namespace=stage.services.client.namespace,
                    execution=WorkflowExecution(workflow_id=workflow.id),
                    id=pending.activity_id,
                    activity_options=ActivityOptions(start_to_close_timeout=Duration(seconds=NOTICED_AFTER_SECONDS)),
                    update_mask=FieldMask(paths=["start_to_close_timeout"]),
                )
            )


def _address(stage: Scene) -> str:
    return stage.services.client.service_client.config.target_host
