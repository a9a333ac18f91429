"""What was done for a grant, step by step, as the journal tells it. Of one attempt the first entry of a step stands.

A closing is the exception: an attempt that is parked and then ended is closed twice, and each has its own evidence.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.ledger import events
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.texts import Written
from models.actor import WORKFLOW, Actor
from models.events import EventKind
from models.messages import ClosingStep, Step
from models.tables import EventKeyRow

KINDS = (
    EventKind.DOMAIN_VALIDATED,
    EventKind.ACCOUNT_PREPARED,
    EventKind.ACCESS_GIVEN,
    EventKind.BASELINE_TAKEN,
    EventKind.CREDENTIAL_ISSUED,
    EventKind.ARMED,
    EventKind.CLOSING_TRIED,
    EventKind.OPENED,
    EventKind.MARK_MOVED,
    EventKind.DISABLED,
    EventKind.STRIPPED,
    EventKind.READ_BACK,
    EventKind.SWEPT,
    EventKind.STEP_TAKEN,
)
"""The kinds of events that are steps of a grant."""

CLOSING = frozenset(step.value for step in ClosingStep)


async def record(session: AsyncSession, request_id: str, attempt: int, steps: Iterable[Step]) -> None:
    """Enter the steps of one attempt; one that stands already is left as it is."""
    await events.append(session, *as_events(request_id, attempt, steps))


def as_events(request_id: str, attempt: int, steps: Iterable[Step], actor: Actor = WORKFLOW) -> list[NewEvent]:
    """The steps of one attempt as they are entered."""
    return [
        NewEvent(
            kind=_kind(step.name),
            actor=actor,
            body={**body(step), "attempt": attempt},
            request_id=request_id,
            once=_key(attempt, step.name, step.at if step.name in CLOSING else None),
        )
        for step in steps
    ]


async def is_recorded(session: AsyncSession, request_id: str, attempt: int, name: str) -> bool:
    """Whether the step of this name was done in this attempt."""
    return await session.get(EventKeyRow, (request_id, _key(attempt, name))) is not None


async def of_request(session: AsyncSession, request_id: str) -> tuple[Step, ...]:
    """All steps of a request in the order in which they happened."""
    return in_order(Step.model_validate(event.body) for event in await events.of_request(session, request_id, *KINDS))


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """As they happened: some are entered later."""
    return tuple(sorted(steps, key=lambda step: step.at))


def body(step: Step) -> dict[str, Any]:
    """The step as the journal has it."""
    if step.note and _kind(step.name) is EventKind.MARK_MOVED:
        return {**step.model_dump(mode="json"), "note": Written(step.note)}  # which quotes why it was asked for
    return step.model_dump(mode="json")


def _key(attempt: int, name: str, at: datetime | None = None) -> str:
    """What a step is entered once under."""
    return f"step {attempt} {name}" + (f" {at.isoformat()}" if at else "")


def _kind(name: str) -> EventKind:
    if name.startswith("extended to"):
        return EventKind.MARK_MOVED
    return next((kind for kind in KINDS if kind == name), EventKind.STEP_TAKEN)
