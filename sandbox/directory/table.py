"""A table of immutable rows by id, with indexes that are always right and every change announced.

Rows are replaced, never altered: a row that is held shows what was true then. That makes a write-ahead file trivial
and lets a later reader see an older row.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar, overload


class Identified(Protocol):
    """Anything with an id that never changes."""

    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=Identified)
Changed = Callable[[str, str, "Identified | None", "Identified | None"], None]
"""Called with table name, row id, the row before (None: new) and after (None: removed), once it has changed."""


class Ordered(Sequence[Row]):
    """Rows by id, looked up when they are looked at: a page of ten thousand accounts costs what the page costs."""

    def __init__(self, ids: list[str], rows: Mapping[str, Row]) -> None:
        self._ids = ids
        self._rows = rows

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Row]:
        return (self._rows[row_id] for row_id in self._ids)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Ordered[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Ordered[Row]:
        if isinstance(place, slice):
            return Ordered(self._ids[place], self._rows)
        return self._rows[self._ids[place]]

    def after(self, row_id: str) -> Ordered[Row]:
        """Those that come after this id, whether it is still there or not."""
        return self[bisect_right(self._ids, row_id) :]

    def with_others(self, others: Mapping[str, Row | None]) -> Ordered[Row]:
        """The same, with other rows in place of some (None: without)."""
        ids = self._ids.copy()
        for row_id, row in others.items():
            place = bisect_left(ids, row_id)
            is_there = ids[place : place + 1] == [row_id]
            if row is None and is_there:
                del ids[place]
            elif row is not None and not is_there:
                ids.insert(place, row_id)
        there = {row_id: row for row_id, row in others.items() if row is not None}
        return Ordered(ids, ChainMap(there, self._rows))  # type: ignore[arg-type]  # the second map is not written to


class Table(Generic[Row]):
    """Rows of one kind in one tenant."""

    def __init__(
        self, name: str, changed: Changed, indexes: Mapping[str, Callable[[Row], Iterable[str]]] | None = None
    ) -> None:
        self.name = name
        self._changed = changed
        self._rows: dict[str, Row] = {}
        self._keys = dict(indexes or {})
        self._indexes: dict[str, dict[str, dict[str, None]]] = {index: {} for index in self._keys}
        self._ordered: list[str] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(list(self._rows.values()))

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._rows

    def get(self, row_id: str) -> Row | None:
        """The row with this id, or None."""
        return self._rows.get(row_id)

    def find(self, index: str, key: str) -> list[Row]:
        """The rows under this key of an index, oldest first."""
        return [self._rows[row_id] for row_id in self._indexes[index].get(key, ())]

    def keys_of(self, index: str, row: Row) -> Iterable[str]:
        """The keys under which a row stands in an index."""
        return self._keys[index](row)

    def one(self, index: str, key: str) -> Row | None:
        """The oldest row under this key of an index, or None."""
        return next((self._rows[row_id] for row_id in self._indexes[index].get(key, ())), None)

    def in_order(self) -> Ordered[Row]:
        """All rows by id: the order in which lists are paged, stable while rows come and go."""
        if self._ordered is None:
            self._ordered = sorted(self._rows)
        return Ordered(self._ordered.copy(), self._rows)

    def put(self, row: Row) -> None:
        """Add a row or replace the one with its id."""
        old = self._rows.get(row.id)
        if old is None and self._ordered is not None:
            insort(self._ordered, row.id)
        self._reindex(row.id, old, row)
        self._rows[row.id] = row
        self._changed(self.name, row.id, old, row)

    def remove(self, row_id: str) -> Row | None:
        """Take the row out and return it; None, and no change, if there is none."""
        row = self._rows.pop(row_id, None)
        if row is not None:
            if self._ordered is not None:
                del self._ordered[bisect_left(self._ordered, row_id)]
            self._reindex(row_id, row, None)
            self._changed(self.name, row_id, row, None)
        return row

    def _reindex(self, row_id: str, old: Row | None, new: Row | None) -> None:
        for name, keys_of in self._keys.items():
            index = self._indexes[name]
            before = set(keys_of(old)) if old is not None else set()
            after = set(keys_of(new)) if new is not None else set()
            for key in before - after:
                index[key].pop(row_id, None)
                if not index[key]:
                    del index[key]
            for key in after - before:
                index.setdefault(key, {})[row_id] = None
