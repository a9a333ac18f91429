"""How a request is tried again, by its state, without typing it again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from models.messages import GrantState, GrantStatus

_REPLAY = re.compile(r"(?P<first>.+)\.r(?P<number>[1-9][0-9]*)")


@dataclass(frozen=True)
class NoReplay:
    """The request cannot be taken up again; the sentence says why, and what to do instead."""

    sentence: str


class Replay(StrEnum):
    """What is done to take a request up again."""

    RETRY = "retry"
    """It is parked: what was decided is tried again."""
    TRY_NOW = "try now"
    """A step waits out a pause between two tries: the pause is over."""
    ASK_ANEW = "ask anew"
    """It has failed: a new request, which names this one, is decided by today's configuration."""


def how_to_replay(status: GrantStatus) -> Replay | NoReplay:
    """How the request is taken up again, or why there is nothing to take up."""
    state = status.state
    if state is GrantState.PARKED:
        return Replay.RETRY
    if state in {GrantState.PREPARING, GrantState.CLOSING}:
        return Replay.TRY_NOW
    if state is GrantState.FAILED or (state is GrantState.EXPIRED and status.opened_at is None):
        return Replay.ASK_ANEW
    because = {
        GrantState.ASKED: "is not decided yet. Is a worker running?",
        GrantState.OPEN: "is open; nothing has failed.",
        GrantState.DENIED: f"was denied. Request again. The denial: {status.sentence}",
        GrantState.EXPIRED: "was open until its expiry. Request again for more.",
        GrantState.ENDED: "was ended on purpose. Request again.",
        GrantState.CANCELLED: "was cancelled on purpose. Request again.",
        GrantState.ABANDONED: "was abandoned, and may be open. The reconciler keeps closing it.",
    }[state]
    return NoReplay(f"The grant {status.request_id} {because}")


def id_of_replay(request_id: str, replay_of: str | None) -> str:
    """The id of the request that replays this one: the same for everybody who asks, so replaying twice asks once.

    ``replay_of`` is what the request itself replays. The line of ``a`` is ``a.r1``, ``a.r2`` and so on.
    """
    # An id that merely looks like a replay's is some request's own, and begins a line of its own.
    line = _REPLAY.fullmatch(request_id) if replay_of else None
    first, number = (line["first"], int(line["number"])) if line else (request_id, 0)
    return f"{first}.r{number + 1}"
