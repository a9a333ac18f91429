"""Query options as the directory reads them: projection, filters, order, paging, and what is refused of them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote

from sandbox.directory.table import Identified, Ordered
from sandbox.exchange import Answer, Json
from sandbox.graph.call import Call
from sandbox.graph.errors import bad_request, unsupported_query
from sandbox.graph.expand import Expansion, expansion_of
from sandbox.graph.filter import Predicate, ValueOf, parse_filter
from sandbox.graph.options import search_needs_header
from sandbox.graph.queries import Queries, queries_of
from sandbox.graph.search import parse_search

Row = TypeVar("Row", bound=Identified)
_SKIP_TOKEN = re.compile(r"(?:\$|%24)skiptoken=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shape(Generic[Row]):
    """How rows of one kind are shown and searched."""

    entity_set: str
    """As it stands in ``@odata.context``."""
    resource: str
    """As error messages call it, and the table of queries: ``User``."""
    properties: frozenset[str]
    default: tuple[str, ...]
    value_of: Callable[[Row, str], Json]
    searched: Callable[[Row, str], Json] | None = None
    """What filters look at, where that is cheaper to come by than what is shown."""
    directory_class: str | None = None
    """How the directory calls the class in the ``Location`` of a single object; None: no such header."""

    @property
    def queries(self) -> Queries:
        """What can be asked of it."""
        return queries_of(self.resource)

    def project(self, row: Row, selected: Sequence[str] | None) -> dict[str, Json]:
        """The row's selected properties and no other; an unknown name is passed over in silence, as Graph does."""
        names = self.default if selected is None else [name for name in selected if name in self.properties]
        return {name: self.value_of(row, name) for name in names}


def selected(call: Call) -> list[str] | None:
    """The names in ``$select``, or None."""
    if not (text := call.query.get("$select")):
        return None
    return [name.strip() for name in text.split(",") if name.strip()]


def selected_and_id(call: Call) -> list[str] | None:
    """The names in ``$select`` with the id, by which ``related`` pages."""
    return None if (names := selected(call)) is None else [*names, "id"]


def chosen(call: Call, values: dict[str, Json]) -> dict[str, Json]:
    """The selected ones of these properties, for what has no shape."""
    names = selected(call)
    return values if names is None else {name: values[name] for name in names if name in values}


def context(call: Call, entity_set: str, *, entity: bool, expansion: Expansion | None = None) -> str:
    """The ``@odata.context`` address, with the selection as it was asked for."""
    names = [*(selected(call) or ()), *([expansion.context] if expansion else ())]
    shown = f"({','.join(names)})" if names else ""
    return f"{call.context_base}{entity_set}{shown}{'/$entity' if entity else ''}"


def entity(call: Call, shape: Shape[Row], row: Row, status: int = 200) -> Answer:
    """One row as an answer."""
    expansion = expansion_of(call, shape.resource)
    body = {"@odata.context": context(call, shape.entity_set, entity=True, expansion=expansion)}
    body |= shape.project(row, selected(call))
    answer = Answer(status, body | (expansion.of(call, row) if expansion else {}))
    if shape.directory_class is not None:
        objects = f"{call.exchange.origin}/v2/{call.tenant.id}/directoryObjects"
        answer.headers["Location"] = f"{objects}/{row.id}/Microsoft.DirectoryServices.{shape.directory_class}"
    return answer


def collection(call: Call, shape: Shape[Row], rows: Iterable[Row], *, page: int = 100, largest: int = 999) -> Answer:
    """Rows as an answer: filtered, ordered, cut into pages with an absolute and opaque next link."""
    expansion = expansion_of(call, shape.resource)
    filtered = _filtered(call, shape, rows)
    matching = _ordered(call, shape, filtered if isinstance(filtered, Ordered) else list(filtered))
    head = context(call, shape.entity_set, entity=False, expansion=expansion)
    body: dict[str, Json] = {"@odata.context": head}
    start = _start(call)
    if call.eventual and call.query.get("$count", "").lower() == "true" and not start:
        body["@odata.count"] = len(matching)
    size = _page_size(call, page, largest)
    following = _after(start, matching, sorted_by_id=not _sorting(call)) if start else matching
    shown = following[:size]
    if len(following) > size:
        body["@odata.nextLink"] = _next_link(call, shown[-1].id)
    names = selected(call)
    body["value"] = [shape.project(row, names) | (expansion.of(call, row) if expansion else {}) for row in shown]
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
    return _number(call, _filtered(call, shape, rows))


def related(call: Call, entity_set: str, value: Sequence[dict[str, Json]]) -> Answer:
    """Objects to which another one is related, as they are shown with their ids, or their number."""
    if call.path_is_count:
        return _number(call, value)
    body: dict[str, Json] = {"@odata.context": context(call, entity_set, entity=False)}
    start, size = _start(call), _page_size(call, 100, 999)
    if call.advanced and not start:
        body["@odata.count"] = len(value)
    following = sorted((item for item in value if item["id"] > start), key=lambda item: str(item["id"]))
    if len(following) > size:
        body["@odata.nextLink"] = _next_link(call, following[size - 1]["id"])
    names = selected(call)
    hidden = {"id"} if names is not None and "id" not in names else set()
    body["value"] = [{name: held for name, held in item.items() if name not in hidden} for item in following[:size]]
    return Answer(200, body)


def _number(call: Call, rows: Iterable[object]) -> Answer:
    if not call.eventual:
        raise bad_request("$count is not currently supported.")
    return Answer(200, str(sum(1 for _ in rows)).encode(), {"Content-Type": "text/plain"})


def _filtered(call: Call, shape: Shape[Row], rows: Iterable[Row]) -> Iterable[Row]:
    value_of: ValueOf[Row] = shape.searched or shape.value_of
    if "$search" in call.query:
        if not call.eventual:
            raise search_needs_header()
        found = parse_search(call.query["$search"], value_of, shape.queries, shape.resource)
        rows = (row for row in rows if found(row))
    if not (text := call.query.get("$filter")):
        return rows
    matches: Predicate[Row] = parse_filter(
        text, value_of, shape.properties, shape.queries, shape.resource, advanced=call.advanced
    )
    return (row for row in rows if matches(row))


def _sorting(call: Call) -> str:
    return call.query.get("$orderby", "")


def _ordered(call: Call, shape: Shape[Row], rows: Sequence[Row]) -> Sequence[Row]:
    if not (text := _sorting(call)):
        return rows
    narrowed = call.query.keys() & {"$filter", "$search"}
    if narrowed and shape.queries.directory and not call.advanced:
        raise unsupported_query("Sorting not supported for current query.")
    name, _, direction = text.strip().partition(" ")
    if not shape.queries.may_sort(name, advanced=call.advanced):
        raise unsupported_query(f"Unsupported sort property '{name}' for '{shape.resource}'.")
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
    # The caller's query as it was sent, and nothing of the service's own but the token (azure-docs#11920).
    sent = [part for part in call.exchange.query_string.split("&") if part and not _SKIP_TOKEN.match(part)]
    return f"{call.exchange.origin}{call.exchange.path}?{'&'.join([*sent, f'$skiptoken={quote(token)}'])}"
