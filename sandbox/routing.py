"""Finding what serves a path by walking its segments, so that five hundred operations cost what five do.

Segments match without regard to case, as in Microsoft's services. ``{name}`` takes any segment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Operation = TypeVar("Operation")


@dataclass(slots=True)
class _Node(Generic[Operation]):
    children: dict[str, _Node[Operation]] = field(default_factory=dict)
    parameter: tuple[str, _Node[Operation]] | None = None
    operations: dict[str, Operation] = field(default_factory=dict)


@dataclass(slots=True)
class UnknownSegmentError(Exception):
    """Nothing is served under this segment."""

    segment: str


class UnknownMethodError(Exception):
    """The path is served, but not with this method."""


class Routes(Generic[Operation]):
    """Operations by method and path."""

    def __init__(self) -> None:
        self._root: _Node[Operation] = _Node()

    def add(self, method: str, path: str, operation: Operation) -> None:
        """Serve this method of this path; a path is served once."""
        node = self._root
        for segment in path.strip("/").split("/"):
            if segment.startswith("{"):
                if node.parameter is None:
                    node.parameter = (segment[1:-1], _Node())
                node = node.parameter[1]
            else:
                node = node.children.setdefault(segment.lower(), _Node())
        assert method not in node.operations, f"{method} {path} is served twice"  # noqa: S101 - a mistake in this code
        node.operations[method] = operation

    def find(self, method: str, segments: list[str]) -> tuple[Operation, dict[str, str]]:
        """The operation and the path's parameters. Raises ``UnknownSegmentError`` or ``UnknownMethodError``."""
        node = self._root
        found: dict[str, str] = {}
        for segment in segments:
            child = node.children.get(segment.lower())
            if child is None:
                if node.parameter is None:
                    raise UnknownSegmentError(segment)
                name, child = node.parameter
                found[name] = segment
            node = child
        if not node.operations:
            raise UnknownSegmentError(segments[-1] if segments else "")
        if method not in node.operations:
            raise UnknownMethodError
        return node.operations[method], found
