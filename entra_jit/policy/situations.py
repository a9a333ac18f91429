"""How a technician stands with one customer, in one of four colours, each with its word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.messages import GrantState


class Light(StrEnum):
    """A colour; it never stands without a word."""

    GREY = "grey"
    """Nothing, or closed."""
    AMBER = "amber"
    """Waiting, preparing, closing."""
    GREEN = "green"
    """Open."""
    RED = "red"
    """Needs attention."""


@dataclass(frozen=True)
class Situation:
    """What is shown at the first glance."""

    light: Light
    word: str
    sentence: str
    since: datetime | None
    """Since when it is so; None: it is no state that began."""


@dataclass(frozen=True)
class LastGrant:
    """What the ledger knows of the technician's live grant there, or of the last one."""

    state: GrantState
    explanation: str
    """Why it is parked, or what was decided."""
    asked_at: datetime
    decided_at: datetime | None
    parked_at: datetime | None
    closing_at: datetime | None
    opened_at: datetime | None
    expires_at: datetime | None
    settled_at: datetime | None
    closed_at: datetime | None
    """When the directory said that the account is closed."""
    was_granted: bool


@dataclass(frozen=True)
class Obstacle:
    """What is in the way of any request there."""

    light: Light
    word: str
    sentence: str
    since: datetime | None


def situation(last: LastGrant | None, obstacle: Obstacle | None, at: datetime) -> Situation:
    """What is live comes first, then what is in the way, then what was."""
    if last is not None and (live := _live(last, at)):
        return live
    if obstacle is not None:
        return Situation(obstacle.light, obstacle.word, obstacle.sentence, obstacle.since)
    return Situation(Light.GREY, "Not used yet", "", None) if last is None else _over(last)


def _live(last: LastGrant, at: datetime) -> Situation | None:
    match last.state:
        case GrantState.OPEN if last.expires_at is not None and last.expires_at <= at:
            return Situation(Light.RED, "Overdue", "It has expired, and closing has not started.", last.expires_at)
        case GrantState.OPEN:
            return Situation(Light.GREEN, "Open", "", last.opened_at)
        case GrantState.ASKED:
            return Situation(Light.AMBER, "Waiting", "Waiting to be decided.", last.asked_at)
        case GrantState.PREPARING:
            return Situation(Light.AMBER, "Preparing", "The account is being prepared.", last.decided_at)
        case GrantState.CLOSING:
            return Situation(
                Light.AMBER, "Closing", "It is closed once the directory says that it is.", last.closing_at
            )
        case GrantState.PARKED:
            return Situation(Light.RED, "Needs attention", last.explanation, last.parked_at)
        case _ if last.was_granted and last.closed_at is None:
            sentence = "It is over, and the directory has not said that the account is closed."
            return Situation(Light.RED, "Not proven closed", sentence, last.settled_at)
        case _:
            return None


def _over(last: LastGrant) -> Situation:
    if last.state is GrantState.DENIED:
        return Situation(Light.GREY, "Denied", last.explanation, last.decided_at)
    if last.opened_at is None:
        return Situation(Light.GREY, last.state.value.capitalize(), "It was never opened.", last.settled_at)
    return Situation(Light.GREY, "Closed", "The directory said so.", last.closed_at)
