"""What was done for a grant, step by step, as the journal tells it. Of one attempt the first entry of a step stands.

What may be repeated is the exception: an attempt that is parked and then ended is closed twice, each with its evidence.
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
from models.events import Event, EventKind
from models.messages import ClosingStep, Step
from models.moments import format_moment
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
    EventKind.RENEWED,
    EventKind.MARK_MOVED,
    EventKind.DISABLED,
    EventKind.STRIPPED,
    EventKind.READ_BACK,
    EventKind.SWEPT,
    EventKind.STEP_TAKEN,
)
"""The kinds of events that are steps of a grant."""

REPEATED = frozenset({EventKind.RENEWED.value, *(step.value for step in ClosingStep)})
"""What one attempt may do more than once."""

SAID = (EventKind.REVEALED, EventKind.EXTENDED, EventKind.PARKED, EventKind.RETRIED, EventKind.TRIED_NOW)
"""What people did or learnt meanwhile. A receipt tells it among the steps."""


async def record(
    session: AsyncSession, request_id: str, attempt: int, steps: Iterable[Step], actor: Actor = WORKFLOW
) -> None:
    """Enter the steps of one attempt; one that stands already is left as it is."""
    await events.append(session, *as_events(request_id, attempt, steps, actor))


def as_events(request_id: str, attempt: int, steps: Iterable[Step], actor: Actor = WORKFLOW) -> list[NewEvent]:
    """The steps of one attempt as they are entered."""
    return [
        NewEvent(
            kind=_kind(step.name),
            actor=actor,
            body={**body(step), "attempt": attempt},
            request_id=request_id,
            once=_key(attempt, step.name, step.at if step.name in REPEATED else None),
        )
        for step in steps
    ]


async def is_recorded(session: AsyncSession, request_id: str, attempt: int, name: str) -> bool:
    """Whether the step of this name was done in this attempt."""
    return await session.get(EventKeyRow, (request_id, _key(attempt, name))) is not None


async def of_request(session: AsyncSession, request_id: str) -> tuple[Step, ...]:
    """All steps of a request in the order in which they happened."""
    return in_order(Step.model_validate(event.body) for event in await events.of_request(session, request_id, *KINDS))


async def of_receipt(session: AsyncSession, request_id: str) -> tuple[Step, ...]:
    """The same, with what people did meanwhile, and who asked for each."""
    found = await events.of_request(session, request_id, *KINDS, *SAID)
    return in_order(_said(event) for event in found)


def _said(event: Event) -> Step:
    by = f"by {event.actor}" if event.actor != WORKFLOW else ""
    if event.kind in SAID:
        return Step(name=event.kind, at=event.body["at"], note=_note(event, by))
    step = Step.model_validate(event.body)
    return step.model_copy(update={"note": ", ".join(filter(None, (step.note, by))) or None})


def _note(event: Event, by: str) -> str:
    match event.kind:
        case EventKind.REVEALED:
            return f"to {event.actor}"
        case EventKind.EXTENDED:
            until = datetime.fromisoformat(event.body["until"])
            return f"until {format_moment(until)}, {by}: {event.body['reason']}"
        case EventKind.PARKED:
            return str(event.body["because"])
        case EventKind.TRIED_NOW:
            return f"{', '.join(event.body['steps'])}, {by}"
        case _:
            return by


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """As they happened: some are entered later."""
    return tuple(sorted(steps, key=lambda step: step.at))


def body(step: Step) -> dict[str, Any]:
    """The step as the journal has it."""
    if step.note and step.name in {EventKind.RENEWED, *SAID}:
        return {**step.model_dump(mode="json"), "note": Written(step.note)}  # which names people, and quotes them
    return step.model_dump(mode="json")


def _key(attempt: int, name: str, at: datetime | None = None) -> str:
    """What a step is entered once under."""
    return f"step {attempt} {name}" + (f" {at.isoformat()}" if at else "")


def _kind(name: str) -> EventKind:
    if name.startswith("mark moved to"):
        return EventKind.MARK_MOVED
    return next((kind for kind in KINDS if kind == name), EventKind.STEP_TAKEN)
