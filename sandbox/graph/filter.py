"""``$filter``: a small recursive-descent parser that turns the text into a predicate over rows.

What may be asked of which property, and with which parameters, stands in ``sandbox.graph.queries``.
``x/any(y:y/z eq 1)`` looks into lists, ``x/$count eq 0`` asks whether one is empty. Strings compare without regard to
case.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Generic, NoReturn, TypeVar

from sandbox.exchange import Json
from sandbox.graph.errors import GraphError, malformed, unsupported_query
from sandbox.graph.queries import Column, Queries

Row = TypeVar("Row")
Predicate = Callable[[Row], bool]
ValueOf = Callable[[Row, str], Json]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})"
    r"|(?P<time>\d{4}-\d\d-\d\d(?:T[0-9:.]+(?:Z|[+-]\d\d:\d\d))?)"
    r"|(?P<number>-?\d+)(?![\w-])"
    r"|(?P<word>[A-Za-z_]\w*(?:/\w+)*(?:/\$count)?)"
    r"|(?P<mark>[(),:]))"
)
_FUNCTIONS = frozenset({"startswith", "endswith", "contains"})
_RANGES = frozenset({"ge", "le", "gt", "lt"})


def invalid_filter(reason: str) -> GraphError:
    """The clause cannot be read at all."""
    return malformed(f"Invalid filter clause: {reason}")


def parse_filter(
    text: str,
    value_of: ValueOf[Row],
    properties: frozenset[str],
    queries: Queries,
    resource: str,
    *,
    advanced: bool,
) -> Predicate[Row]:
    """The predicate that the text means. Raises Graph's 400 for what cannot be read or is not supported."""
    parser = _Parser(text, value_of, properties, queries, resource, advanced=advanced)
    return parser.whole()


class _Parser(Generic[Row]):
    def __init__(
        self,
        text: str,
        value_of: ValueOf[Row],
        properties: frozenset[str],
        queries: Queries,
        resource: str,
        *,
        advanced: bool,
    ) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._value_of = value_of
        self._properties = properties
        self._queries = queries
        self._resource = resource
        self._advanced = advanced
        self._element: str | None = None
        """Inside ``any``: the name by which its condition calls an element of the list."""
        self._list = ""
        """Inside ``any``: the list, as the table of queries has it."""

    def whole(self) -> Predicate[Row]:
        predicate = self._either()
        if self._peek() is not None:
            raise self._surprise()
        return predicate

    def _either(self) -> Predicate[Row]:
        left = self._both()
        while self._accept("or"):
            left = _or(left, self._both())
        return left

    def _both(self) -> Predicate[Row]:
        left = self._term()
        while self._accept("and"):
            left = _and(left, self._term())
        return left

    def _term(self) -> Predicate[Row]:
        if self._accept("not"):
            if not self._queries.ne.holds(advanced=self._advanced):
                raise self._advanced_only("not")
            return _not(self._term())
        if self._accept("("):
            inner = self._either()
            self._expect(")")
            return inner
        kind, word = self._next()
        if kind != "word":
            raise self._surprise()
        return self._function(word.lower()) if word.lower() in _FUNCTIONS else self._comparison(word)

    def _function(self, function: str) -> Predicate[Row]:
        self._expect("(")
        path, read = self._property(self._next()[1])
        self._expect(",")
        wanted = str(self._literal()).lower()
        self._expect(")")
        # Graph tolerates the old spelling "startswith(x,'y') eq true".
        if self._accept("eq"):
            self._expect("true")
        if function == "contains":
            raise unsupported_query(
                "Unsupported or invalid query filter clause specified: the function 'contains' is not supported."
            )
        if function == "endswith":
            if not self._advanced:
                raise self._advanced_only("endsWith")
            if path not in self._queries.ends_with:
                self._unsupported(path)
            return lambda row: any(text.endswith(wanted) for text in _texts(read(row)))
        self._require(path, Column.STARTS_WITH)
        return lambda row: any(text.startswith(wanted) for text in _texts(read(row)))

    def _any(self, name: str) -> Predicate[Row]:
        """``name/any(element: condition)``: the condition is read with the element in place of the row."""
        _, items = self._property(name.removesuffix("/any"))
        self._expect("(")
        outer = self._element, self._list
        self._element, self._list = self._next()[1], name
        self._expect(":")
        condition = self._either()
        self._expect(")")
        self._element, self._list = outer

        def matches(row: Row) -> bool:
            held = items(row)
            return isinstance(held, list) and any(condition(one) for one in held)

        return matches

    def _comparison(self, name: str) -> Predicate[Row]:
        if name.endswith("/any") and self._peek() == ("mark", "("):
            return self._any(name)
        if name.endswith("/$count"):
            return self._emptiness(name)
        path, read = self._property(name)
        operator = self._next()[1].lower()
        if operator == "in":
            return self._membership(path, read)
        wanted = self._literal()
        if operator in _RANGES:
            self._require(path, Column.RANGE)
            return _ordering(read, operator, wanted, lambda: self._unsupported(path))
        if operator not in {"eq", "ne"}:
            raise self._surprise()
        if operator == "ne" and not self._queries.ne.holds(advanced=self._advanced):
            raise unsupported_query("Filter operator 'NotEqualsMatch' is not supported.")
        self._require(path, Column.IS_NULL if wanted is None else Column.EQUALS)
        is_equal = operator == "eq"
        return lambda row: _same(read(row), wanted) is is_equal

    def _emptiness(self, name: str) -> Predicate[Row]:
        """``name/$count eq 0``, or ``ne``: no other number is supported."""
        _, items = self._property(name.removesuffix("/$count"))
        operator, wanted = self._next()[1].lower(), self._literal()
        self._require(name, Column.EQUALS)
        if operator not in {"eq", "ne"} or wanted != 0:
            self._unsupported(name)
        return lambda row: bool(items(row)) is (operator == "ne")

    def _membership(self, path: str, read: Callable[[Row], Json]) -> Predicate[Row]:
        if not self._queries.takes_in:
            self._unsupported(path)
        self._require(path, Column.EQUALS)
        self._expect("(")
        wanted = [self._literal()]
        while self._accept(","):
            wanted.append(self._literal())
        self._expect(")")
        return lambda row: any(_same(read(row), one) for one in wanted)

    def _property(self, name: str) -> tuple[str, Callable[[Row], Json]]:
        """What a name means: its path in the table of queries, and how its value is read."""
        root, *members = name.split("/")
        if root == self._element:
            return "/".join((self._list, *members)), lambda element: _inside(element, members)
        if root not in self._properties:
            raise unsupported_query(f"Property '{root}' does not exist as a declared property or extension property.")
        value_of = self._value_of
        return name, lambda row: _inside(value_of(row, root), members)

    def _require(self, path: str, column: Column) -> None:
        if not self._queries.may_filter(path, column, advanced=self._advanced):
            self._unsupported(path)

    def _literal(self) -> Json:
        kind, text = self._next()
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "word" and text.lower() in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[text.lower()]
        if kind == "number":
            return int(text)
        if kind in {"time", "guid"}:
            return text
        raise self._surprise()

    def _peek(self) -> tuple[str, str] | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        if token is None:
            raise invalid_filter("the expression ends too early.")
        self._at += 1
        return token

    def _accept(self, text: str) -> bool:
        token = self._peek()
        if token is not None and token[0] in {"word", "mark"} and token[1].lower() == text:
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._surprise()

    def _advanced_only(self, operator: str) -> GraphError:
        return unsupported_query(
            f"Operator '{operator}' is not supported because the required parameters might be "
            "missing. Try adding $count=true query parameter and ConsistencyLevel:eventual header. "
            "Refer to https://aka.ms/graph-docs/advanced-queries for more information"
        )

    def _unsupported(self, path: str) -> NoReturn:
        root, *members = path.split("/")
        if self._queries.directory and members and not (self._advanced or self._element or members[-1] == "$count"):
            # The index that answers by default does not know that extension attributes have names.
            raise unsupported_query(
                f"Property '{members[-1]}' does not exist as a declared property or extension property."
            )
        raise unsupported_query(
            f"Unsupported or invalid query filter clause specified for property '{root}' "
            f"of resource '{self._resource}'."
        )

    def _surprise(self) -> GraphError:
        token = self._tokens[min(self._at, len(self._tokens) - 1)][1] if self._tokens else ""
        return invalid_filter(f"syntax error near '{token}'.")


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None or match.lastgroup is None:
            raise invalid_filter(f"syntax error at position {position} in '{text}'.")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens


def _inside(value: Json, members: list[str]) -> Json:
    """What stands at the end of a path into nested objects; None where it ends early."""
    for member in members:
        value = value.get(member) if isinstance(value, dict) else None
    return value


def _and(left: Predicate[Row], right: Predicate[Row]) -> Predicate[Row]:
    return lambda row: left(row) and right(row)


def _or(left: Predicate[Row], right: Predicate[Row]) -> Predicate[Row]:
    return lambda row: left(row) or right(row)


def _not(inner: Predicate[Row]) -> Predicate[Row]:
    return lambda row: not inner(row)


def _texts(value: Json) -> list[str]:
    if isinstance(value, str):
        return [value.lower()]
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() for one in values if one is not None]


def _same(value: Json, wanted: Json) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return value.lower() == wanted.lower()
    return bool(value == wanted)


def _ordering(
    read: Callable[[Row], Json], operator: str, wanted: Json, unsupported: Callable[[], NoReturn]
) -> Predicate[Row]:
    limit = _moment(wanted)
    if limit is None:
        unsupported()

    def compare(row: Row) -> bool:
        moment = _moment(read(row))
        if moment is None:
            return False
        return {"ge": moment >= limit, "le": moment <= limit, "gt": moment > limit, "lt": moment < limit}[operator]

    return compare


def _moment(value: Json) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
