"""Query options as the directory reads them: projection, filters, order, paging, and what is refused of them."""

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
from sandbox.graph.queries import Queries, queries_of

Row = TypeVar("Row", bound=Identified)


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
    if "$skip" in call.query and shape.queries.directory:
        raise bad_request("'$skip' is not supported by the service.")
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
    return _number(call, _filtered(call, shape, rows))


RELATED_LACKS = "$search, $filter, $orderby: refused"


def related(call: Call, entity_set: str, value: Sequence[dict[str, Json]]) -> Answer:
    """Objects to which another one is related, as they are shown, or their number.

    Here they are not searched, filtered or sorted, and that is refused in the words in which Microsoft refuses it
    without the advanced parameters: an answer with more than was asked for would be taken for what was asked for.
    """
    _refuse_search(call)
    if "$filter" in call.query:
        raise unsupported_query("The specified filter to the reference property query is currently not supported.")
    if _sorting(call):
        raise unsupported_query("Sorting not supported for current query.")
    if call.path_is_count:
        return _number(call, value)
    body: dict[str, Json] = {"@odata.context": context(call, entity_set, entity=False)}
    if call.advanced:
        body["@odata.count"] = len(value)
    return Answer(200, body | {"value": value})


def _number(call: Call, rows: Iterable[object]) -> Answer:
    if not call.eventual:
        raise bad_request("$count is not currently supported.")
    return Answer(200, str(sum(1 for _ in rows)).encode(), {"Content-Type": "text/plain"})


def require_no_page_size(call: Call) -> None:
    """For collections that come whole. Raises Graph's 400 for ``$top``, whatever its value."""
    if "$top" in call.query:
        raise unsupported_query(
            "This resource does not support custom page sizes. Please retry without a page size argument."
        )


def _refuse_search(call: Call) -> None:
    if "$search" in call.query:
        raise unsupported_query(
            "Request with $search query parameter only works through MSGraph with a special request header: "
            "'ConsistencyLevel: eventual'"
            if not call.eventual
            else "The $search query option is not served by this sandbox."
        )


def _filtered(call: Call, shape: Shape[Row], rows: Iterable[Row]) -> Iterable[Row]:
    _refuse_search(call)
    if not (text := call.query.get("$filter")):
        return rows
    value_of: ValueOf[Row] = shape.searched or shape.value_of
    matches: Predicate[Row] = parse_filter(
        text, value_of, shape.properties, shape.queries, shape.resource, advanced=call.advanced
    )
    return (row for row in rows if matches(row))


def _sorting(call: Call) -> str:
    return call.query.get("$orderby", "")


def _ordered(call: Call, shape: Shape[Row], rows: Sequence[Row]) -> Sequence[Row]:
    if not (text := _sorting(call)):
        return rows
    if "$filter" in call.query and shape.queries.directory and not call.advanced:
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
    query = {name: value for name, value in call.query.items() if name != "$skiptoken"} | {"$skiptoken": token}
    return f"{call.exchange.origin}{call.exchange.path}?{urlencode(query, quote_via=quote, safe='$')}"
