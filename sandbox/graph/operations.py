"""How a resource module says what it serves: a path, the permissions that open it, a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.graph.call import Operation
from sandbox.graph.errors import GraphError, denied

Refusal = Callable[[frozenset[str]], GraphError]
"""The refusal of a caller who has none of these permissions."""


@dataclass(frozen=True, slots=True)
class Served:
    """An operation with the permissions of which the caller needs one, and the refusal it gets without."""

    method: str
    path: str
    allowed: frozenset[str]
    refusal: Refusal
    run: Operation
    lacks: str | None = None
    """What of Microsoft's operation is not here; None: nothing that is known."""


class Operations(list[Served]):
    """The operations of one resource; ``@operations.get(path, permissions)`` adds one.

    ``lacks`` says what of Microsoft's operation is missing; the conformance report shows it.
    """

    def __init__(self, refusal: Refusal = lambda _: denied()) -> None:
        super().__init__()
        self._refusal = refusal

    def get(self, path: str, allowed: frozenset[str], *, lacks: str | None = None) -> Callable[[Operation], Operation]:
        return self._serve("GET", path, allowed, lacks)

    def post(self, path: str, allowed: frozenset[str], *, lacks: str | None = None) -> Callable[[Operation], Operation]:
        return self._serve("POST", path, allowed, lacks)

    def patch(
        self, path: str, allowed: frozenset[str], *, lacks: str | None = None
    ) -> Callable[[Operation], Operation]:
        return self._serve("PATCH", path, allowed, lacks)

    def put(self, path: str, allowed: frozenset[str], *, lacks: str | None = None) -> Callable[[Operation], Operation]:
        return self._serve("PUT", path, allowed, lacks)

    def delete(
        self, path: str, allowed: frozenset[str], *, lacks: str | None = None
    ) -> Callable[[Operation], Operation]:
        return self._serve("DELETE", path, allowed, lacks)

    def _serve(
        self, method: str, path: str, allowed: frozenset[str], lacks: str | None
    ) -> Callable[[Operation], Operation]:
        def register(run: Operation) -> Operation:
            self.append(Served(method, path, allowed, self._refusal, run, lacks))
            return run

        return register
