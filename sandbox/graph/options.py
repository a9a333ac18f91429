"""Which query options a read takes: the table of ``data/options.yaml``, and the refusal of every other.

An answer that passes over an option has more or less in it than was asked for. So an option that is not served is
refused, whether Microsoft serves it or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sandbox.exchange import Exchange
from sandbox.graph.errors import GraphError, bad_request, malformed, unsupported_query

_DATA = Path(__file__).parents[1] / "data" / "options.yaml"
OPTIONS = ("$select", "$filter", "$orderby", "$search", "$count", "$expand", "$top", "$skip")
_OF_COLLECTIONS = frozenset({"$filter", "$orderby", "$count", "$skip", "$top"})
_TOKENS = frozenset({"$skiptoken", "$deltatoken"})
_FORMAT = "$format"


class State(StrEnum):
    """What becomes of an option."""

    SERVED = "served"
    IGNORED = "ignored"
    LACKING = "not served"
    REFUSED = "refused"


class Reads(BaseModel):
    """Reads that take the same options."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reads: tuple[str, ...]
    except_: tuple[str, ...] = Field((), alias="except")
    one: bool = False
    served: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()

    def has(self, path: str) -> bool:
        """Whether the read at this address is one of them."""
        return any(fnmatchcase(path, one) for one in self.reads) and path not in self.except_

    def state(self, option: str) -> State:
        """What becomes of the option."""
        states = ((self.served, State.SERVED), (self.ignored, State.IGNORED), (self.lacks, State.LACKING))
        return next((state for options, state in states if option in options), State.REFUSED)


@cache
def table() -> Mapping[str, Reads]:
    """The rows by their names."""
    return TypeAdapter(dict[str, Reads]).validate_python(yaml.safe_load(_DATA.read_bytes()))


@cache
def options_of(path: str) -> Reads:
    """The row of a read, by its address with ``{parameters}``."""
    (found,) = (row for row in table().values() if row.has(path))
    return found


def read_options(exchange: Exchange, method: str, path: str) -> dict[str, str]:
    """The query with its options in lower case, as they may be written either way. Raises Graph's 400."""
    query: dict[str, str] = {}
    for written, value in parse_qsl(exchange.query_string, keep_blank_values=True):
        name = written.lower() if written.startswith("$") else written
        if name in query and name.startswith("$"):
            raise malformed(
                f"Query option '{name}' was specified more than once, but it must be specified at most once."
            )
        query[name] = value
    for name, value in query.items():
        _require_taken(exchange, method, path, name, value)
    return query


def _require_taken(exchange: Exchange, method: str, path: str, name: str, value: str) -> None:
    if f"${name.lower()}" in OPTIONS:
        # Microsoft takes some of them without the dollar sign in places, and passes over others.
        raise _not_supported(name)
    if (
        not name.startswith("$")
        or name in _TOKENS
        or (name == _FORMAT and value.lower() in {"json", "application/json"})
    ):
        return
    if name not in OPTIONS:
        raise _not_supported(name)
    if method != "GET":
        if name != "$select":
            raise _not_supported(name)
        return
    row = options_of(path)
    if row.state(name) in {State.LACKING, State.REFUSED}:
        raise _refusal(exchange, name, value, one=row.one)


def _refusal(exchange: Exchange, name: str, value: str, *, one: bool) -> GraphError:
    if one and name in _OF_COLLECTIONS:
        return malformed(
            "The query specified in the URI is not valid. The requested resource is not a collection. "
            "Query options $filter, $orderby, $count, $skip, and $top can be applied only on collections."
        )
    if name == "$expand":
        return no_such_relationship(value.partition("(")[0])
    if name == "$search" and exchange.headers.get("consistencylevel", "").lower() != "eventual":
        return search_needs_header()
    if name == "$skip":
        return bad_request("'$skip' is not supported by the service.")
    return unsupported_query(_WORDS.get(name, f"The query parameter '{name}' is not supported."))


_WORDS = {
    "$filter": "The specified filter to the reference property query is currently not supported.",
    "$orderby": "Sorting not supported for current query.",
    "$top": "This resource does not support custom page sizes. Please retry without a page size argument.",
}


def search_needs_header() -> GraphError:
    """``$search`` of directory objects without the header."""
    return unsupported_query(
        "Request with $search query parameter only works through MSGraph with a special request header: "
        "'ConsistencyLevel: eventual'"
    )


def no_such_relationship(name: str, resource: str = "directoryObject") -> GraphError:
    """``$expand`` of what is no relationship."""
    return malformed(
        f"Parsing OData Select and Expand failed: Could not find a property named '{name}' "
        f"on type 'microsoft.graph.{resource[0].lower()}{resource[1:]}'."
    )


def _not_supported(name: str) -> GraphError:
    return malformed(f"The query parameter '{name}' is not supported.")
