"""One request and its answer, as every part of the sandbox passes them on: complete, in memory, without a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

import pydantic_core

Json = Any
"""Whatever JSON can say. What goes out is composed in one place and not read here."""


@dataclass(slots=True)
class Exchange:
    """A request as it arrived, with the two ids that Microsoft's support would ask for."""

    method: str
    path: str
    """Undecoded, without the query."""
    query_string: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes
    at: datetime
    origin: str
    """``https://host:port`` as the caller wrote it; addresses in answers begin with it."""
    request_id: str = field(default_factory=lambda: str(uuid4()))
    signed_in_as: tuple[str, str] | None = None
    """Id and name of the person who acted on a sign-in page, once that is known: the audit log names them."""
    answer_headers: dict[str, str] = field(default_factory=dict)
    """What the answer's headers have to say, whatever the answer turns out to be."""

    @property
    def client_request_id(self) -> str:
        """The caller's own id, or ours if it sent none."""
        return self.headers.get("client-request-id") or self.request_id

    @property
    def segments(self) -> list[str]:
        """The decoded parts of the path."""
        return [unquote(part) for part in self.path.split("/") if part]

    def query(self) -> dict[str, str]:
        """The decoded query parameters; the last of equal names counts."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    def form(self) -> dict[str, str]:
        """The decoded fields of a form body; empty if it is not one."""
        try:
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        except UnicodeDecodeError:
            return {}


@dataclass(slots=True)
class Answer:
    """What is sent back. A ``body`` of None is an empty one; bytes are sent as they are, all else as JSON."""

    status: int
    body: Json = None
    headers: dict[str, str] = field(default_factory=dict)

    def payload(self) -> bytes:
        """The body's bytes."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else pydantic_core.to_json(self.body)
