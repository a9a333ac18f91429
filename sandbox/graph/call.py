"""A Graph request that has been authenticated and routed: all that an operation needs, and nothing of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import pydantic_core

from sandbox.directory.rows import Application
from sandbox.directory.table import Table
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Answer, Exchange, Json
from sandbox.graph.errors import unreadable_payload


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls: what the access token says of it. ``permissions`` are app roles, or scopes for a person."""

    kind: Literal["app", "user"]
    id: str
    app_id: str
    tenant_id: str
    permissions: frozenset[str]


@dataclass(slots=True)
class Call:
    """One operation to be done for one actor in one tenant."""

    exchange: Exchange
    tenant: Tenant
    actor: Actor
    version: str
    args: Mapping[str, str]
    query: Mapping[str, str]
    applications: Table[Application]
    """All registrations of the sandbox, whichever tenant they live in."""

    @property
    def base(self) -> str:
        """``https://host/v1.0``, the beginning of every address in the answer."""
        return f"{self.exchange.origin}/{self.version}"

    @property
    def context_base(self) -> str:
        """The beginning of ``@odata.context``."""
        return f"{self.base}/$metadata#"

    @property
    def eventual(self) -> bool:
        """Whether the caller accepts the eventually consistent index, as advanced queries demand."""
        return self.exchange.headers.get("consistencylevel", "").lower() == "eventual"

    @property
    def advanced(self) -> bool:
        """Whether header and count are both there; with ``$expand`` the index that would answer them is not asked."""
        counts = self.path_is_count or self.query.get("$count", "").lower() == "true"
        return self.eventual and counts and "$expand" not in self.query

    @property
    def asks_index(self) -> bool:
        """Whether the index that is behind answers, and not the directory."""
        return self.advanced or (self.eventual and "$search" in self.query)

    @property
    def path_is_count(self) -> bool:
        """Whether the number of things was asked for, not the things."""
        return self.exchange.path.endswith("/$count")

    def json_object(self, *, optional: bool = False) -> dict[str, Json]:
        """The body, which has to be a JSON object; an empty one passes where it is optional."""
        if optional and not self.exchange.body:
            return {}
        try:
            body = pydantic_core.from_json(self.exchange.body)
        except ValueError:
            raise unreadable_payload() from None
        if not isinstance(body, dict):
            raise unreadable_payload()
        return body


Operation = Callable[[Call], Answer]


def is_guid(text: object) -> bool:
    """Whether this is a GUID in its usual form with dashes."""
    try:
        return isinstance(text, str) and str(UUID(text)) == text.lower()
    except ValueError:
        return False
