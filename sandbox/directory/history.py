"""What changed in one tenant lately, in order, so that a delta query can tell what is new since its token."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

from sandbox.directory.table import Identified

_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Step:
    """A row before and after one change; None where there was or is none."""

    number: int
    table: str
    row_id: str
    before: Identified | None
    after: Identified | None


class History:
    """The latest changes, in memory: a restart forgets them, and ``epoch`` tells tokens of an earlier life apart."""

    def __init__(self) -> None:
        self.epoch = uuid4().hex[:8]
        self.latest = 0
        self._steps: deque[Step] = deque(maxlen=_KEPT)

    def note(self, table: str, row_id: str, before: Identified | None, after: Identified | None) -> None:
        self.latest += 1
        self._steps.append(Step(self.latest, table, row_id, before, after))

    def reaches(self, number: int) -> bool:
        """Whether everything after this number is still known."""
        return number <= self.latest and (not self._steps or number >= self._steps[0].number - 1)

    def since(self, number: int) -> Iterator[Step]:
        """The changes after this number, oldest first."""
        return (step for step in list(self._steps) if step.number > number)
