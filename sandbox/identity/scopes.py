"""The ``scope`` of a person's sign-in: protocol words, delegated permissions of Graph, or all that was consented to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sandbox.graph.app_roles import MICROSOFT_GRAPH_APP_ID
from sandbox.identity.errors import invalid_scope, resource_not_found, scope_does_not_exist

GRAPH_AUDIENCE = "https://graph.microsoft.com"
PROTOCOL_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
_DATA = Path(__file__).parent.parent / "data" / "delegated_scopes.json"


@dataclass(frozen=True, slots=True)
class DelegatedScope:
    """A permission that people can give to an application; ``admin``: only administrators can."""

    id: str
    admin: bool


@cache
def delegated_scopes() -> dict[str, DelegatedScope]:
    """The delegated permissions that this sandbox knows, by name."""
    rows = json.loads(_DATA.read_text(encoding="utf-8"))
    return {name: DelegatedScope(**row) for name, row in rows.items()}


@dataclass(frozen=True, slots=True)
class AskedScopes:
    """A scope text, read. ``graph`` are short names; ``prefixed`` tells whether they were asked for by address."""

    protocol: frozenset[str]
    graph: frozenset[str]
    everything: bool
    prefixed: bool

    @property
    def names(self) -> frozenset[str]:
        """All permissions that need consent."""
        return self.protocol | self.graph

    @property
    def audience(self) -> str:
        """The ``aud`` of the access token: Graph by address, or by GUID if it was asked for in passing."""
        return GRAPH_AUDIENCE if self.prefixed else MICROSOFT_GRAPH_APP_ID

    def shown(self, granted: frozenset[str]) -> str:
        """The ``scope`` of the answer, in the way in which it was asked for."""
        prefix = f"{GRAPH_AUDIENCE}/" if self.prefixed else ""
        protocol = sorted(granted & (PROTOCOL_SCOPES - {"offline_access"}))
        return " ".join([*(f"{prefix}{name}" for name in sorted(granted - PROTOCOL_SCOPES)), *protocol])


def read_scopes(text: str, *, application: str, directory: str, origin: str) -> AskedScopes:
    """Read a scope text. Raises ``SignInError`` for what no resource here knows.

    ``application`` and ``directory`` are names for the refusal; ``origin`` is another name of this sandbox's Graph.
    """
    protocol: set[str] = set()
    graph: set[str] = set()
    everything = prefixed = False
    for word in text.split():
        resource, separator, name = word.rpartition("/")
        if word in PROTOCOL_SCOPES:
            protocol.add(word)
            continue
        if separator:
            if resource.rstrip("/") not in {GRAPH_AUDIENCE, MICROSOFT_GRAPH_APP_ID, origin}:
                raise resource_not_found(resource, directory)
            prefixed = True
        if name == ".default":
            everything = True
        elif name not in delegated_scopes():
            raise scope_does_not_exist(name, application)
        else:
            graph.add(name)
    if everything and graph:
        raise invalid_scope(text)
    return AskedScopes(frozenset(protocol), frozenset(graph), everything, prefixed)
