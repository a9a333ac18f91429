"""The mistakes of one file, as they are found, and as they are told: in the order of the file."""

from __future__ import annotations

from typing import NamedTuple

from models.errors import BadInputError


class Place(NamedTuple):
    """Where a value stands: its line, and the way to it (``tenants.1.elevate``; entries count from 1)."""

    line: int
    way: str = ""


class Mistakes:
    """What is wrong with a file. It is refused as a whole, once all of it has been read."""

    def __init__(self, source: str) -> None:
        """``source``: the file's name, for people."""
        self._source = source
        self._found: dict[tuple[int, str], Place] = {}

    def __len__(self) -> int:
        """How many there are by now."""
        return len(self._found)

    def note(self, place: Place, explanation: str) -> None:
        """Enter one. What an alias repeats is told once."""
        self._found.setdefault((place.line, explanation), place)

    def refusal(self) -> BadInputError:
        """All of them, a line each."""
        found = sorted(self._found.items(), key=lambda one: one[0][0])
        return BadInputError(
            "\n".join(
                f"{self._source}:{place.line}: {f'{place.way}: ' if place.way else ''}{explanation}"
                for (_, explanation), place in found
            )
        )
