"""What was asked of the sandbox: one entry a Graph or sign-in request, never a body."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase

_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and what became of it. ``status`` is None if the connection was dropped without an answer."""

    sequence: int
    time: str
    tenant: str | None
    app_id: str | None
    method: str
    path: str
    status: int | None
    fault: str | None
    request_id: str
    client_request_id: str
    effect: bool
    """Whether the directory was changed."""


class Journal:
    """The latest requests, oldest first; kept in memory, so a restart begins anew."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._next = 1

    def next_sequence(self) -> int:
        """A number that no other entry has had."""
        self._next += 1
        return self._next - 1

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)

    def clear(self) -> None:
        """Forget the entries; numbering goes on."""
        self._entries.clear()

    def entries(
        self,
        *,
        after: int = 0,
        tenant: str | None = None,
        method: str | None = None,
        path: str | None = None,
    ) -> list[dict[str, object]]:
        """Entries after a number, of a tenant, with a method, with a path that contains this (or, with ``*``, fits)."""
        return [
            asdict(entry)
            for entry in self._entries
            if entry.sequence > after
            and tenant in {None, entry.tenant}
            and (method is None or entry.method == method.upper())
            and (path is None or _fits(entry.path, path))
        ]


def _fits(path: str, wanted: str) -> bool:
    return fnmatchcase(path.lower(), wanted.lower()) if "*" in wanted else wanted.lower() in path.lower()
