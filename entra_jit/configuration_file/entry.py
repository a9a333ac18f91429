"""One mapping under reading: each field is taken once, by the reader of its type; what is left over is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from entra_jit.configuration_file.mistakes import Mistakes, Place
from entra_jit.configuration_file.tree import Field, Fields, Items, Text, Tree
from models.errors import BadInputError, quoted

Value = TypeVar("Value")

EMPTY = "empty; write a value or remove the field"


class Entry:
    """A mapping of the file. What it gives is None where it is not there or mistaken; mistakes are noted."""

    def __init__(self, mistakes: Mistakes, tree: Fields, place: Place) -> None:
        """``place``: where people look for it."""
        self._place = place
        self._mistakes = mistakes
        self._fields = tree.fields
        self._left = dict(tree.fields)
        self._before = len(mistakes)

    @property
    def is_sound(self) -> bool:
        """No mistake has been found since it was begun."""
        return len(self._mistakes) == self._before

    def place(self, key: str | None = None) -> Place:
        """Where it stands, or one of its fields, which need not be there."""
        if key is None:
            return self._place
        line = self._fields[key].line if key in self._fields else self._place.line
        return Place(line, f"{self._place.way}.{key}" if self._place.way else key)

    def note(self, explanation: str, key: str | None = None) -> None:
        """Enter a mistake of this mapping, or of one of its fields."""
        self._mistakes.note(self.place(key), explanation)

    def required(self, key: str, read: Callable[[str], Value]) -> Value | None:
        """The field's value. That it is not there is a mistake."""
        self.require(key)
        return self.optional(key, read)

    def require(self, key: str) -> None:
        """Note it if the field is not there."""
        if key not in self._fields:
            self.note(f"{key} is missing")

    def optional(self, key: str, read: Callable[[str], Value]) -> Value | None:
        """The field's value."""
        found = self._take(key)
        return None if found is None else self._read(found.value, self.place(key), read)

    def texts(self, key: str, read: Callable[[str], Value]) -> Iterator[tuple[Place, Value]]:
        """The values of a list, each once."""
        seen: set[Value] = set()
        for place, item in self._items(key):
            value = self._read(item, place, read)
            if value in seen:
                self._mistakes.note(place, f"{quoted(str(value))} stands twice")
            elif value is not None:
                seen.add(value)
                yield place, value

    def is_mapping(self, key: str) -> bool:
        """The field is there, and has fields itself."""
        return key in self._fields and isinstance(self._fields[key].value, Fields)

    def entry(self, key: str) -> Entry | None:
        """The mapping in a field."""
        found = self._take(key)
        if found is None:
            return None
        if not isinstance(found.value, Fields):
            self.note("not a mapping of fields and values", key)
        elif not found.value.fields:
            self.note(EMPTY, key)
        else:
            # A mapping begins a line below its key, where it is not looked for; an alias stands elsewhere altogether.
            line = min(found.line, found.value.line)
            return Entry(self._mistakes, found.value, self.place(key)._replace(line=line))
        return None

    def entries(self, key: str) -> Iterator[Entry]:
        """The mappings in a list."""
        for place, item in self._items(key):
            if isinstance(item, Fields):
                yield Entry(self._mistakes, item, place)
            else:
                self._mistakes.note(place, "not a mapping of fields and values")

    def free_keys(self) -> tuple[str, ...]:
        """Those that are left: of a mapping whose keys are free."""
        return tuple(self._left)

    def finish(self) -> None:
        """What was not taken is unknown."""
        for key in self._left:
            self.note("unknown field", key)
        self._left = {}

    def _take(self, key: str) -> Field | None:
        found = self._left.pop(key, None)
        if found and isinstance(found.value, Text) and found.value.is_empty:
            self.note(EMPTY, key)
            return None
        return found

    def _items(self, key: str) -> Iterator[tuple[Place, Tree]]:
        found = self._take(key)
        if found is None:
            return
        place = self.place(key)
        if not isinstance(found.value, Items):
            self.note("not a list", key)
        elif not found.value.items:
            self.note(EMPTY, key)
        else:
            for number, item in enumerate(found.value.items, start=1):
                yield Place(item.line, f"{place.way}.{number}"), item

    def _read(self, value: Tree, place: Place, read: Callable[[str], Value]) -> Value | None:
        if not isinstance(value, Text):
            self._mistakes.note(place, "not a single value")
        elif value.is_empty:
            self._mistakes.note(place, EMPTY)
        else:
            try:
                return read(value.text)
            except BadInputError as error:
                self._mistakes.note(place, str(error))
        return None
