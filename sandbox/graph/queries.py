"""What can be asked of a resource in ``$filter`` and ``$orderby``: the table of ``data/queries.yaml``, read once.

Microsoft keeps two indexes. One answers by default; what only the other one knows, which is behind, has to be asked
with the advanced parameters, and is refused without them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import IntEnum, StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

_DATA = Path(__file__).parents[1] / "data" / "queries.yaml"
_NUMBERED = re.compile(r"(.*\D)(\d+)-(\d+)")


class Mark(StrEnum):
    """When something can be asked."""

    DEFAULT = "D"
    ADVANCED = "A"
    WITHOUT_ADVANCED = "O"
    NEVER = "."

    def holds(self, *, advanced: bool) -> bool:
        """Whether it can be asked with these parameters."""
        return self is Mark.DEFAULT or self is (Mark.ADVANCED if advanced else Mark.WITHOUT_ADVANCED)


class Column(IntEnum):
    """What a property is asked."""

    EQUALS = 0
    STARTS_WITH = 1
    RANGE = 2
    IS_NULL = 3


def _rows(table: Mapping[str, object]) -> dict[str, object]:
    """Marks apart from one another, and ``extensionAttribute1-15`` as fifteen rows."""
    return {name: str(marks).split() for written, marks in table.items() for name in _names(written)}


def _names(written: str) -> Iterator[str]:
    if (numbered := _NUMBERED.fullmatch(written)) is None:
        yield written
    else:
        yield from (f"{numbered[1]}{number}" for number in range(int(numbered[2]), int(numbered[3]) + 1))


class Queries(BaseModel):
    """What can be asked of one resource. Paths are as in the table: ``x``, ``x/y``, ``x/any/y``, ``x/$count``."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    filter: Annotated[Mapping[str, tuple[Mark, Mark, Mark, Mark]], BeforeValidator(_rows)]
    orderby: Mapping[str, Mark] = {}
    ends_with: Annotated[frozenset[str], Field(alias="endsWith")] = frozenset()
    ne: Mark = Mark.NEVER
    """Also of ``not``."""
    takes_in: Annotated[bool, Field(alias="in")] = True
    directory: bool = False

    def may_filter(self, path: str, column: Column, *, advanced: bool) -> bool:
        """Whether this can be asked of this property."""
        marks = self.filter.get(path)
        return marks is not None and marks[column].holds(advanced=advanced)

    def may_sort(self, name: str, *, advanced: bool) -> bool:
        """Whether the answer can be put in the order of this property."""
        return self.orderby.get(name, Mark.NEVER).holds(advanced=advanced)


@cache
def _table() -> Mapping[str, Queries]:
    return TypeAdapter(dict[str, Queries]).validate_python(yaml.safe_load(_DATA.read_bytes()))


def queries_of(resource: str) -> Queries:
    """What can be asked of the resource that error messages call so."""
    return _table()[resource]
