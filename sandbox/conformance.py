"""How much of Microsoft's interface is here: ``python -m sandbox conformance``.

The list of operations is data; whether each is served is read from the routing table, and what one lacks from the
declaration beside its code. So the report cannot promise what the code does not do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from sandbox.graph.service import served_operations

_DATA = Path(__file__).parent / "data" / "operations.yaml"

State = Literal["served", "partly", "not served"]


class Section(BaseModel):
    """One subject: operations of Graph and of the sign-in service, and those that are known to be missing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    section: str
    graph: tuple[str, ...] = ()
    batch: tuple[str, ...] = ()
    sign_in: tuple[str, ...] = ()
    not_served: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Coverage:
    """One operation and how far it is served. ``lacks`` says what is missing."""

    section: str
    operation: str
    state: State
    lacks: str | None = None


@cache
def sections() -> tuple[Section, ...]:
    """The list of operations."""
    return tuple(Section.model_validate(one) for one in yaml.safe_load(_DATA.read_text(encoding="utf-8")))


def coverage() -> Iterator[Coverage]:
    """Every operation of the list with its state, in order."""
    served = {f"{one.method} {one.path}": one for one in served_operations()}
    for section in sections():
        for operation in section.graph:
            found = served.get(operation)
            if found is None:
                yield Coverage(section.section, operation, "not served", "listed, and in no routing table")
            else:
                yield Coverage(section.section, operation, "partly" if found.lacks else "served", found.lacks)
        for operation in (*section.batch, *section.sign_in):
            yield Coverage(section.section, operation, "served")
        for operation, reason in section.not_served.items():
            yield Coverage(section.section, operation, "not served", reason)


def report() -> str:
    """The coverage as text, with a sum at the end."""
    lines: list[str] = []
    title = ""
    states: Counter[State] = Counter()
    for one in coverage():
        if one.section != title:
            title = one.section
            lines += ["", title]
        states[one.state] += 1
        note = f"  ({one.lacks})" if one.lacks else ""
        lines.append(f"  {one.state:<11} {one.operation}{note}")
    counts = ", ".join(f"{states[state]} {state}" for state in ("served", "partly", "not served"))
    return "\n".join([*lines, "", f"{sum(states.values())} operations: {counts}"]).lstrip("\n")
