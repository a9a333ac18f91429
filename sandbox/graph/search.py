"""``$search`` of directory objects: clauses ``"property:text"``, joined by AND, OR and parentheses.

displayName and description are searched by words: both sides are split at blanks, digits, symbols and where small
letters turn into capitals, and each word of the search must begin one of the value. What is in other properties must
begin with the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Generic, TypeVar

from sandbox.exchange import Json
from sandbox.graph.errors import GraphError, malformed
from sandbox.graph.queries import Column, Queries

Row = TypeVar("Row")
Predicate = Callable[[Row], bool]
_BY_WORDS = frozenset({"displayName", "description"})
_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|(AND|OR|\(|\)))')
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"\d+|[^\W\d_]+|[^\w\s]|_")


def parse_search(text: str, value_of: Callable[[Row, str], Json], queries: Queries, resource: str) -> Predicate[Row]:
    """The predicate that the text means. Raises Graph's 400 for what cannot be read or searched."""
    return _Parser(text, value_of, queries, resource).whole()


class _Parser(Generic[Row]):
    def __init__(self, text: str, value_of: Callable[[Row, str], Json], queries: Queries, resource: str) -> None:
        self._text = text
        self._value_of = value_of
        self._queries = queries
        self._resource = resource
        self._at = 0

    def whole(self) -> Predicate[Row]:
        predicate = self._either()
        if self._text[self._at :].strip():
            raise self._surprise()
        return predicate

    def _either(self) -> Predicate[Row]:
        wanted = [self._both()]
        while self._accept("OR"):
            wanted.append(self._both())
        return lambda row: any(one(row) for one in wanted)

    def _both(self) -> Predicate[Row]:
        wanted = [self._clause()]
        while self._accept("AND"):
            wanted.append(self._clause())
        return lambda row: all(one(row) for one in wanted)

    def _clause(self) -> Predicate[Row]:
        if self._accept("("):
            inner = self._either()
            if not self._accept(")"):
                raise self._surprise()
            return inner
        match = _TOKEN.match(self._text, self._at)
        if match is None or match[1] is None:
            raise self._surprise()
        self._at = match.end()
        name, colon, wanted = re.sub(r"\\(.)", r"\1", match[1]).partition(":")
        if not colon or not self._is_known(name):
            raise malformed(f"Unsupported search property '{name}' for '{self._resource}'.")
        value_of = self._value_of
        matches = _has_words(wanted) if name in _BY_WORDS else _begins(wanted)
        return lambda row: matches(value_of(row, name))

    def _is_known(self, name: str) -> bool:
        """Whether it can be filtered by: all that can, can be searched."""
        return any(
            self._queries.may_filter(path, column, advanced=True)
            for path in (name, f"{name}/any")
            for column in (Column.EQUALS, Column.STARTS_WITH)
        )

    def _accept(self, mark: str) -> bool:
        match = _TOKEN.match(self._text, self._at)
        if match is None or match[2] != mark:
            return False
        self._at = match.end()
        return True

    def _surprise(self) -> GraphError:
        rest = self._text[self._at :].lstrip()
        where = len(self._text) - len(rest)
        return malformed(f"Syntax error: character '{rest[:1]}' is not valid at position {where} in '{self._text}'.")


def _has_words(wanted: str) -> Callable[[Json], bool]:
    words = _words(wanted)
    return lambda value: (
        isinstance(value, str)
        and all(any(one.startswith(word) for one in _words(value) | _joined(value)) for word in words)
    )


def _begins(wanted: str) -> Callable[[Json], bool]:
    beginning = wanted.lower()
    return lambda value: any(
        isinstance(one, str) and one.lower().startswith(beginning)
        for one in (value if isinstance(value, list) else [value])
    )


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(_CAPITAL.sub(" ", text))}


def _joined(text: str) -> set[str]:
    """``helloworld`` for ``hello.world``: words that only symbols separate are one as well."""
    return {re.sub(r"[\W_]", "", part).lower() for part in text.split()}
