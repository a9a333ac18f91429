"""Query options as the directory reads them: projection, paging, order, and the rules about advanced queries."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

from sandbox.directory.table import Identified, Ordered
from sandbox.exchange import Answer, Json
from sandbox.graph.call import Call
from sandbox.graph.errors import bad_request, unsupported_query
from sandbox.graph.filter import Predicate, ValueOf, parse_filter

Row = TypeVar("Row", bound=Identified)


@dataclass(frozen=True, slots=True)
class Shape(Generic[Row]):
    """How rows of one kind are shown and searched."""

    entity_set: str
    """As it stands in ``@odata.context``."""
    resource: str
    """As error messages call it: ``User``."""
    properties: frozenset[str]
    default: tuple[str, ...]
    value_of: Callable[[Row, str], Json]
    filterable: frozenset[str]
    searched: Callable[[Row, str], Json] | None = None
    """What filters look at, where that is cheaper to come by than what is shown."""
    sorts_filtered: bool = False
    """Whether filtered rows can be put in order without the eventually consistent index."""
    directory_class: str | None = None
    """How the directory calls the class in the ``Location`` of a single object; None: no such header."""

    def project(self, row: Row, selected: Sequence[str] | None) -> dict[str, Json]:
        """The row's selected properties and no other; an unknown name is passed over in silence, as Graph does."""
        names = self.default if selected is None else [name for name in selected if name in self.properties]
        return {name: self.value_of(row, name) for name in names}


def selected(call: Call) -> list[str] | None:
    """The names in ``$select``, or None."""
    if not (text := call.query.get("$select")):
        return None
    return [name.strip() for name in text.split(",") if name.strip()]


def context(call: Call, entity_set: str, *, entity: bool) -> str:
    """The ``@odata.context`` address, with the selection as it was asked for."""
    names = selected(call)
    chosen = f"({','.join(names)})" if names is not None else ""
    return f"{call.context_base}{entity_set}{chosen}{'/$entity' if entity else ''}"


def entity(call: Call, shape: Shape[Row], row: Row, status: int = 200) -> Answer:
    """One row as an answer."""
    body = {"@odata.context": context(call, shape.entity_set, entity=True)}
    answer = Answer(status, body | shape.project(row, selected(call)))
    if shape.directory_class is not None:
        objects = f"{call.exchange.origin}/v2/{call.tenant.id}/directoryObjects"
        answer.headers["Location"] = f"{objects}/{row.id}/Microsoft.DirectoryServices.{shape.directory_class}"
    return answer


def collection(call: Call, shape: Shape[Row], rows: Iterable[Row], *, page: int = 100, largest: int = 999) -> Answer:
    """Rows as an answer: filtered, ordered, cut into pages with an absolute and opaque next link."""
    filtered = _filtered(call, shape, rows)
    matching = _ordered(call, shape, filtered if isinstance(filtered, Ordered) else list(filtered))
    body: dict[str, Json] = {"@odata.context": context(call, shape.entity_set, entity=False)}
    start = _start(call)
    if call.eventual and call.query.get("$count", "").lower() == "true" and not start:
        body["@odata.count"] = len(matching)
    size = _page_size(call, page, largest)
    following = _after(start, matching, sorted_by_id=not _sorting(call)) if start else matching
    shown = following[:size]
    if len(following) > size:
        body["@odata.nextLink"] = _next_link(call, shown[-1].id)
    names = selected(call)
    body["value"] = [shape.project(row, names) for row in shown]
    return Answer(200, body)


def _after(start: str, rows: Sequence[Row], *, sorted_by_id: bool) -> Sequence[Row]:
    if isinstance(rows, Ordered):
        return rows.after(start)
    if sorted_by_id:
        return [row for row in rows if row.id > start]
    ids = [row.id for row in rows]
    return rows[ids.index(start) + 1 :] if start in ids else []


def count(call: Call, shape: Shape[Row], rows: Iterable[Row]) -> Answer:
    """``/$count``: a bare number, and only from the eventually consistent index."""
    if not call.eventual:
        raise bad_request("$count is not currently supported.")
    number = sum(1 for _ in _filtered(call, shape, rows))
    return Answer(200, str(number).encode(), {"Content-Type": "text/plain"})


def _filtered(call: Call, shape: Shape[Row], rows: Iterable[Row]) -> Iterable[Row]:
    if "$search" in call.query:
        raise unsupported_query(
            "Request with $search query parameter only works through MSGraph with a special request header: "
            "'ConsistencyLevel: eventual'"
            if not call.eventual
            else "The $search query option is not served by this sandbox."
        )
    if not (text := call.query.get("$filter")):
        return rows
    advanced = call.eventual and (call.query.get("$count", "").lower() == "true" or call.path_is_count)
    value_of: ValueOf[Row] = shape.searched or shape.value_of
    matches: Predicate[Row] = parse_filter(
        text, value_of, shape.properties, shape.filterable, shape.resource, advanced=advanced
    )
    return (row for row in rows if matches(row))


def _sorting(call: Call) -> str:
    return call.query.get("$orderby", "")


def _ordered(call: Call, shape: Shape[Row], rows: Sequence[Row]) -> Sequence[Row]:
    if not (text := _sorting(call)):
        return rows
    if "$filter" in call.query and not call.eventual and not shape.sorts_filtered:
        raise unsupported_query("Sorting not supported for current query.")
    name, _, direction = text.strip().partition(" ")
    if name not in shape.filterable:
        raise unsupported_query(f"Sorting on property '{name}' is not supported for resource '{shape.resource}'.")
    return sorted(
        rows, key=lambda row: str(shape.value_of(row, name) or "").lower(), reverse=direction.strip() == "desc"
    )


def _page_size(call: Call, page: int, largest: int) -> int:
    text = call.query.get("$top")
    if text is None:
        return page
    if not text.isdecimal() or not 1 <= int(text) <= largest:
        raise bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and {largest} inclusive.")
    return int(text)


def _start(call: Call) -> str:
    token = call.query.get("$skiptoken")
    if token is None:
        return ""
    try:
        return base64.urlsafe_b64decode(token).decode()
    except ValueError:
        raise bad_request("The skip token is not valid.") from None


def _next_link(call: Call, last_id: str) -> str:
    token = base64.urlsafe_b64encode(last_id.encode()).decode()
    query = {name: value for name, value in call.query.items() if name != "$skiptoken"} | {"$skiptoken": token}
    return f"{call.exchange.origin}{call.exchange.path}?{urlencode(query, quote_via=quote, safe='$')}"
