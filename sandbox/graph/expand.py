"""``$expand``: one relationship of an object, shown inside it. Twenty of its items at most, and no next page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.exchange import Json
from sandbox.graph.call import Call
from sandbox.graph.errors import GraphError, malformed
from sandbox.graph.options import no_such_relationship

LARGEST = 20

Relationship = Callable[[Call, Any, "Sequence[str] | None"], Json]
"""What belongs to a row: its items with the properties that were asked for, or None for the default ones."""
R = TypeVar("R", bound=Relationship)


@dataclass(frozen=True, slots=True)
class _Served:
    read: Relationship
    nested: str | None
    selects: bool


_RELATIONSHIPS: dict[tuple[str, str], _Served] = {}
_ONE = re.compile(r"(?P<name>\w+)(?:\((?P<inner>.*)\))?")
_SELECT = "$select="


def relationship(resource: str, name: str, *, nested: str | None = None, selects: bool = True) -> Callable[[R], R]:
    """Serve a relationship of a resource, both as error messages and addresses call them.

    ``nested`` is the one relationship that can be expanded inside it; without ``selects`` a selection is refused.
    """

    def register(read: R) -> R:
        _RELATIONSHIPS[resource, name] = _Served(read, nested, selects)
        return read

    return register


def relationships_of(resource: str) -> list[str]:
    """The names of what can be expanded."""
    return sorted(name for of, name in _RELATIONSHIPS if of == resource)


@dataclass(frozen=True, slots=True)
class Expansion:
    """The relationship that a request wants to see."""

    name: str
    context: str
    """As it stands in ``@odata.context``."""
    selected: tuple[str, ...] | None
    _read: Relationship

    def of(self, call: Call, row: object) -> dict[str, Json]:
        """The relationship of one row, under its name."""
        value = self._read(call, row, self.selected)
        return {self.name: value[:LARGEST] if isinstance(value, list) else value}


def expansion_of(call: Call, resource: str) -> Expansion | None:
    """What ``$expand`` wants of this resource; None without it. Raises Graph's 400."""
    text = call.query.get("$expand")
    if text is None:
        return None
    wanted = _split(text)
    if len(wanted) > 1:
        raise malformed(
            f"The result of parsing $expand contained at least {len(wanted)} items, but the maximum allowed is 1."
        )
    match = _ONE.fullmatch(wanted[0])
    served = _RELATIONSHIPS.get((resource, match["name"])) if match else None
    if match is None or served is None:
        raise no_such_relationship(wanted[0].partition("(")[0], resource)
    name, inner = match["name"], match["inner"]
    if inner is None:
        return Expansion(name, f"{name}()", None, served.read)
    if served.nested and inner == f"$expand={served.nested}":
        return Expansion(name, f"{name}({served.nested}())", (served.nested,), served.read)
    if not served.selects or not inner.startswith(_SELECT) or ";" in inner:
        raise GraphError(400, "InvalidFilter", "The  filter is invalid.")
    names = tuple(one.strip() for one in inner.removeprefix(_SELECT).split(","))
    return Expansion(name, f"{name}({','.join(names)})", names, served.read)


def _split(text: str) -> list[str]:
    """The parts between commas that stand outside of parentheses."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", text)]
