"""What was in the way, of whom, from when to when: all that can excuse a closing that comes late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class Kind(StrEnum):
    """The troubles there are, as the figures name them."""

    WORKER_KILLED = "worker killed"
    WORKER_AWAY = "worker away past expiries"
    TEMPORAL_KILLED = "Temporal killed"
    TEMPORAL_RESTARTED = "Temporal restarted"
    TEMPORAL_AWAY = "Temporal away for minutes"
    CLOSER_KILLED = "closer killed"
    POSTGRES_KILLED = "PostgreSQL killed"
    POSTGRES_AWAY = "PostgreSQL away"
    FROZEN = "machine frozen: worker, closer and Temporal stand still, and go on"
    POWER_CUT = "power cut: worker, Temporal and PostgreSQL killed at once"

    THROTTLED = "calls throttled (429)"
    FAILING = "calls failing (503)"
    DARK = "tenant dark: every call fails (503)"
    SIGN_IN_DOWN = "no tokens: sign-in fails (503)"
    ANSWERS_LOST = "answers lost after the effect"
    REQUESTS_LOST = "requests lost before the effect"
    SLOW = "answers slow"
    GARBLED = "answers garbled"
    LAG = "replicas lag"
    LIMITS = "Microsoft's limits, made smaller"

    WORKFLOW_GONE = "workflow terminated by hand"
    STALLED = "the machine itself stood still"


CLOSING_GOES_ON = frozenset({Kind.POSTGRES_AWAY, Kind.POSTGRES_KILLED, Kind.CLOSER_KILLED})
"""What excuses no closing that comes late."""

EXPIRIES_GO_ON = CLOSING_GOES_ON | {Kind.TEMPORAL_AWAY}
"""What excuses no closing at an expiry. An end before it is a message, which needs Temporal."""


@dataclass(frozen=True)
class Outage:
    """One trouble that was. Without a customer it was everybody's, with a request it was that grant's alone."""

    kind: Kind
    began: datetime
    ended: datetime
    customer: str | None = None
    request_id: str | None = None

    def concerns(self, customer: str, request_id: str) -> bool:
        """Whether it can have held up the closing of this grant."""
        return self.customer in (None, customer) and self.request_id in (None, request_id)


class OutageLog:
    """Written as it happens, read by the verdict."""

    def __init__(self) -> None:
        self.entries: list[Outage] = []

    @contextmanager
    def during(self, kind: Kind, customer: str | None = None) -> Iterator[None]:
        """Note the trouble that lasts as long as the block, whatever becomes of the block."""
        began = now()
        try:
            yield
        finally:
            self.entries.append(Outage(kind, began, now(), customer))


def now() -> datetime:
    """This machine's time, which every part of the storm shares."""
    return datetime.now(UTC)
