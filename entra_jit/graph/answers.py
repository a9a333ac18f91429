"""What Graph answered, read into types: a success has the properties we need, an error its code and words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn, TypeVar, overload

import httpx
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from entra_jit.graph.catalogue import NOT_GRAPHS, Attempt, senseless
from entra_jit.graph.errors import GraphError
from models.messages import DirectoryCall
from models.plain_text import plain

T = TypeVar("T")

_ERROR_BEGINS = re.compile(r'\{\s*"error"\s*:\s*\{')


def null_as(value: JsonValue) -> BeforeValidator:
    """Reads null as ``value``, which is also what an absent property has as its default."""
    return BeforeValidator(lambda told: value if told is None else told)


class Description(BaseModel):
    """Something that Graph described. Only what identifies it, or decides over it, must be there."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class Resource(Description):
    """A thing in the directory, with the call that said so."""

    evidence: DirectoryCall = Field(repr=False)


R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True)
class Listing(Sequence[T]):
    """A whole collection. Empty, it is a statement too: ``evidence`` is the call that completed it."""

    members: tuple[T, ...]
    evidence: DirectoryCall
    is_whole: bool = True
    """False: there was more than was wanted, and it was not read."""

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[T]:
        return iter(self.members)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self.members[index]


@dataclass(frozen=True, slots=True)
class Answer:
    """A success. The document may hold a secret (a pass is told once), so it is never shown."""

    document: Mapping[str, JsonValue] = field(repr=False)
    evidence: DirectoryCall
    attempt: Attempt = field(repr=False)
    """What to name should the document make no sense."""

    def read(self, kind: type[R]) -> R:
        """The one thing that the document describes. Raises ``UnexpectedResponseError``."""
        return self._read(kind, self.document)

    def read_each(self, kind: type[R]) -> tuple[R, ...]:
        """The things that the document lists. Raises ``UnexpectedResponseError``."""
        return tuple(self._read(kind, item) for item in self.items())

    def read_as(self, kind: type[R], **document: JsonValue) -> R:
        """One thing from several answers, of which this is the last. Raises ``UnexpectedResponseError``."""
        return self._read(kind, document)

    def items(self) -> tuple[Mapping[str, JsonValue], ...]:
        """The entries of a collection, unread. Raises ``UnexpectedResponseError``."""
        listed = self.document.get("value")
        if not isinstance(listed, list):
            self.raise_malformed("the answer is not a collection")
        return tuple(item if isinstance(item, dict) else {} for item in listed)

    def raise_malformed(self, message: str) -> NoReturn:
        """Raise ``UnexpectedResponseError`` for this answer. The message must not quote the document."""
        raise self._senseless(message)

    def _read(self, kind: type[R], document: Mapping[str, JsonValue]) -> R:
        try:
            return kind.model_validate({**document, "evidence": self.evidence})
        except ValidationError as error:
            # Locations only: the input of an access pass is the pass.
            amiss = sorted({".".join(str(part) for part in each["loc"]) or kind.__name__ for each in error.errors()})
            raise self._senseless(f"the answer lacks a proper {', '.join(amiss)}") from None

    def _senseless(self, message: str) -> GraphError:
        return senseless(replace(self.attempt, message=message))


def document_of(response: httpx.Response) -> Mapping[str, JsonValue] | None:
    """The JSON object in a body, empty for no body; None for anything else, such as a proxy's page."""
    if not response.content:
        return {}
    try:
        document = json.loads(response.content)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def error_inside(response: httpx.Response) -> Mapping[str, JsonValue] | None:
    """The error in the middle of an answer that was a success until then; None: there is none.

    Graph sends the status before the entries. What fails after that is written where the answer has come to.
    """
    for start in reversed([match.start() for match in _ERROR_BEGINS.finditer(response.text)]):
        try:
            inner, _ = json.JSONDecoder().raw_decode(response.text, start)
        except ValueError:
            continue
        return inner if isinstance(inner, dict) else None
    return None


def error_of(document: Mapping[str, JsonValue] | None) -> tuple[str | None, str | None]:
    """Code and words of Graph's error body; the words are ``NOT_GRAPHS`` if the body is not one.

    Graph has three forms of ``message``: a string, an object with the string as its ``value``, and, in Privileged
    Identity Management, a string that is the service's own error in JSON, under the code ``UnknownError``.
    """
    error = (document or {}).get("error")
    if not isinstance(error, dict):
        return None, NOT_GRAPHS
    code, message = error.get("code"), error.get("message")
    if isinstance(message, dict):
        message = message.get("value")
    if isinstance(wrapped := _json_in(message), dict) and "errorCode" in wrapped:
        code, message = wrapped["errorCode"], wrapped.get("message")
    return (str(code) if code else None, plain(str(message))[:500] if message else None)


def _json_in(text: JsonValue) -> JsonValue:
    if not isinstance(text, str) or not text.startswith("{"):
        return None
    try:
        value: JsonValue = json.loads(text)
    except ValueError:
        return None
    return value
