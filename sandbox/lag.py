"""How late replicas are: named profiles, a number of seconds, or a file; and which of Graph's APIs a request asks."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

_PROFILES = Path(__file__).parent / "data" / "lag.yaml"
OFF = "off"

Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Api(StrEnum):
    """The parts of Graph that replicate on their own, each with a lateness of its own."""

    DIRECTORY = "directory"
    ROLES = "roles"
    PIM = "pim"
    METHODS = "methods"
    INDEX = "index"
    DELETED = "deleted"
    AUDIT = "audit"

    @classmethod
    def of(cls, method: str, segments: list[str], *, asks_index: bool = False) -> Api:
        """The API that serves this path (decoded segments, without the version)."""
        first, second, third = [*(segment.lower() for segment in segments[:3]), "", "", ""][:3]
        if first == "auditlogs":
            return cls.AUDIT
        if first == "rolemanagement":
            return cls.PIM if "schedule" in third else cls.ROLES
        if first == "directoryroles":
            return cls.ROLES
        if third == "authentication":
            return cls.METHODS
        if (first, second) == ("directory", "deleteditems"):
            return cls.DELETED
        return cls.INDEX if method == "GET" and (asks_index or second in {"delta", "delta()"}) else cls.DIRECTORY


def _in_order(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] > span[1]:
        raise ValueError("the quickest replica cannot be slower than the slowest")
    return span


Span = Annotated[tuple[Seconds, Seconds], AfterValidator(_in_order)]
"""Quickest and slowest replica, in seconds."""


class Lag(BaseModel):
    """For each API how long its replicas take to learn of a change. An API that is left out is never late."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    directory: Span = (0.0, 0.0)
    roles: Span = (0.0, 0.0)
    pim: Span = (0.0, 0.0)
    methods: Span = (0.0, 0.0)
    index: Span = (0.0, 0.0)
    deleted: Span = (0.0, 0.0)
    audit: Span = (0.0, 0.0)

    @classmethod
    def even(cls, seconds: float) -> Self:
        """Every API alike: between not at all and this many seconds."""
        return cls.model_validate(dict.fromkeys(Api, (0, seconds)))

    def scaled(self, factor: float) -> Lag:
        """The same, quicker or slower by a factor."""
        spans = {name: (low * factor, high * factor) for name, (low, high) in self.spans().items()}
        return Lag.model_validate(spans)

    def spans(self) -> dict[str, tuple[float, float]]:
        """All spans by the API's name."""
        return {api.value: self.span_of(api) for api in Api}

    def span_of(self, api: Api) -> tuple[float, float]:
        """Quickest and slowest replica of one API, in seconds."""
        span: tuple[float, float] = getattr(self, api.value)
        return span

    @property
    def longest(self) -> float:
        """After so many seconds every replica of every API knows of a change."""
        return max(high for _, high in self.spans().values())


class LagError(ValueError):
    """That is not a lag; the sentence says what would be."""


@cache
def profiles() -> dict[str, Lag]:
    """The named profiles."""
    return TypeAdapter(dict[str, Lag]).validate_python(yaml.safe_load(_PROFILES.read_bytes()))


def named(text: str) -> Lag | None:
    """A profile by name, or a number of seconds for every API; None for ``off``. Raises ``LagError``."""
    if text == OFF:
        return None
    if text in profiles():
        return profiles()[text]
    try:
        return Lag.even(float(text))
    except ValidationError as error:
        raise LagError(_first(error)) from None
    except ValueError:
        known = ", ".join([OFF, *profiles()])
        raise LagError(f"{text!r} is not a lag: use {known}, or a number of seconds") from None


def given(text: str) -> Lag | None:
    """As ``named``; anything else is a YAML file with a span for each API. Raises ``LagError``."""
    path = Path(text)
    if not path.is_file():
        return named(text)
    try:
        content: dict[str, Any] = yaml.safe_load(path.read_bytes())
        return Lag.model_validate(content)
    except yaml.YAMLError as error:
        raise LagError(f"{path} is not YAML: {error}") from None
    except ValidationError as error:
        raise LagError(f"{path}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(step) for step in first["loc"])
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"
