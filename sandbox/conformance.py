"""How much of Microsoft's interface is here, as a page of Markdown: ``python -m sandbox conformance``.

The list of operations and the tables of query options and of evidence are data; whether an operation is served is read
from the routing table, and what one lacks from the declaration beside its code. So the page cannot promise what the
code does not do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from sandbox.graph import options
from sandbox.graph.service import served_operations

_DATA = Path(__file__).parent / "data"

State = Literal["served", "partly", "not served"]
_HEAD = """\
# What the sandbox serves

Written by `python -m sandbox conformance` from [its data](../sandbox/data) and its routes; do not edit.

"""
_OF_OPTIONS = """\
## Query options

**served**: answered; [queries.yaml](../sandbox/data/queries.yaml) says which properties can be filtered and sorted by.
**refused**: as at Microsoft. **not served**: Microsoft answers, the sandbox refuses. **ignored**: passed over in
silence, as at Microsoft.
"""

_OF_EVIDENCE = """\
## Evidence

What was observed of Microsoft beside its reference, for each operation that entra-jit uses and each refusal that it
acts on. **recorded**: traffic or a body of a real tenant. **pasted**: in a thread. **code**: a program used with real
tenants acts on it. **documentation**: the reference alone.
"""


class Evidence(BaseModel):
    """What is known of something beside Microsoft's reference. Without an address it rests on that alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seen: tuple[str, ...] = ()
    level: Literal["recorded", "pasted", "code"] | None = None
    differs: str = ""
    code: str | None = None
    words: str | None = None

    @model_validator(mode="after")
    def _level_with_address(self) -> Self:
        if bool(self.seen) is not bool(self.level):
            raise ValueError("an address and its level come together")
        return self


class AllEvidence(BaseModel):
    """The table: operations of entra-jit, and the refusals that it acts on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operations: dict[str, Evidence]
    refusals: dict[str, Evidence]

    def by_documentation_alone(self) -> tuple[int, int]:
        """How many operations and refusals rest on documentation alone."""
        operations, refusals = (sum(not one.seen for one in rows.values()) for rows in (self.operations, self.refusals))
        return operations, refusals


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
    written = (_DATA / "operations.yaml").read_text(encoding="utf-8")
    return tuple(Section.model_validate(one) for one in yaml.safe_load(written))


@cache
def evidence() -> AllEvidence:
    """What was observed of Microsoft, and where."""
    return AllEvidence.model_validate(yaml.safe_load((_DATA / "evidence.yaml").read_text(encoding="utf-8")))


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
    """The whole page."""
    parts = (_operations(), (_OF_OPTIONS, *_options()), (_OF_EVIDENCE, *_evidence()))
    return _HEAD + "\n\n".join("\n".join(part) for part in parts) + "\n"


def _operations() -> Iterator[str]:
    rows = list(coverage())
    states = Counter(one.state for one in rows)
    counts = ", ".join(f"{states[state]} {state}" for state in ("served", "partly", "not served"))
    yield f"## Operations\n\n{len(rows)} operations: {counts}."
    title = ""
    for one in rows:
        if one.section != title:
            title = one.section
            yield f"\n### {title}\n"
            yield from _table("operation", "", "lacks")
        yield _row(f"`{one.operation}`", one.state, one.lacks or "")


def _options() -> Iterator[str]:
    yield from _table("reads", *(f"`{option}`" for option in options.OPTIONS))
    for name, row in options.table().items():
        reads = ", ".join(f"`{path}`" for path in row.reads)
        yield _row(f"{name}: {reads}", *(row.state(option) for option in options.OPTIONS))


def _evidence() -> Iterator[str]:
    found = evidence()
    for title, rows in (("operation", found.operations), ("refusal", found.refusals)):
        alone = sum(not one.seen for one in rows.values())
        yield f"\n{len(rows)} {title}s, {alone} by documentation alone.\n"
        yield from _table(title, "", "seen", "differs")
        for name, one in rows.items():
            yield _row(f"`{name}`", one.level or "documentation", "; ".join(one.seen), one.differs)


def _table(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield _row(*("---" for _ in titles))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
