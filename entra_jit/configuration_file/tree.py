"""YAML as it is written: scalars stay text, and each value knows its line.

YAML's readers decide much in silence: ``1:30`` is ninety, ``no`` is false, and of a key that stands twice the last one
counts. Here nothing is decided: what is ambiguous is a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from entra_jit.configuration_file.mistakes import Mistakes, Place
from models.errors import BadInputError, quoted

DEEPEST = 20
"""How many levels may be nested. A configuration has six; a reader that follows thousands runs out of stack."""

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_NOT_SHOWN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)
"""Control characters, and those that turn the direction of writing: with them a file shows other text than it has."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

_NULL = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar, as it is written."""

    line: int
    text: str
    is_plain: bool
    """Written without quotes."""

    @property
    def is_empty(self) -> bool:
        """Nothing is written there, or YAML's word for nothing."""
        return not self.text.strip() or (self.is_plain and self.text in _NULL)


@dataclass(frozen=True, slots=True)
class Items:
    """A sequence."""

    line: int
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping, with what it merges in; its own keys override that."""

    line: int
    fields: dict[str, Field]


@dataclass(frozen=True, slots=True)
class Field:
    """A key's line and its value."""

    line: int
    value: Tree


Tree = Text | Items | Fields


def parse(content: bytes, mistakes: Mistakes) -> Tree | None:
    """The file's one document. None: it has none, or cannot be read any further, which is then among the mistakes."""
    try:
        return _Composer(_decoded(content), mistakes).document()
    except _UnreadableError as error:
        mistakes.note(Place(error.line), error.explanation)
        return None


class _UnreadableError(BadInputError):
    """The file makes no sense from this line on."""

    def __init__(self, line: int, explanation: str) -> None:
        super().__init__(explanation)
        self.line = line


def _decoded(content: bytes) -> str:
    # PowerShell writes UTF-16, older editors Latin-1.
    if content.startswith(_UTF_16) or content[1:2] == b"\0" or content[:1] == b"\0":
        raise _UnreadableError(1, "the file is UTF-16; save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\r|\n", content[: error.start])) + 1
        raise _UnreadableError(line, "the file is not UTF-8; save it as UTF-8") from None
    if found := _NOT_SHOWN.search(text):
        line = len(re.findall(r"\r\n|\r|\n", text[: found.start()])) + 1
        raise _UnreadableError(line, f"the invisible character U+{ord(found[0]):04X}; remove it")
    return text


class _Composer:
    """Makes one tree of YAML's events, which are text where its values would be numbers, dates and truths."""

    def __init__(self, text: str, mistakes: Mistakes) -> None:
        self._text = text
        self._mistakes = mistakes
        self._anchors: dict[str, Tree] = {}
        self._events = self._read_events()

    def document(self) -> Tree | None:
        next(self._events)
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return None
        found = self._value(next(self._events), 1)
        next(self._events)
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _UnreadableError(_line(event), "a second document; a configuration is one")
        return found

    def _read_events(self) -> Iterator[yaml.Event]:
        line = 1
        try:
            for event in yaml.parse(self._text, Loader=_LOADER):
                line = _line(event)
                yield event
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise _UnreadableError(mark.line + 1 if mark else line, self._explain(mark)) from None
        except (yaml.YAMLError, ValueError, OverflowError):
            # Escapes and version numbers beyond all bounds.
            raise _UnreadableError(line, self._explain(None)) from None

    def _explain(self, mark: yaml.Mark | None) -> str:
        lines = self._text.splitlines()
        written = lines[mark.line][mark.column :] if mark and mark.line < len(lines) else ""
        if written.startswith("\t"):
            return "not YAML: a tab; indent with spaces"
        if written.startswith(":"):
            return "not YAML: a colon that belongs to no key; check the indentation, or put the text in quotes"
        return "not YAML; check the indentation, brackets and quotes here and in the line above"

    def _value(self, event: yaml.Event, depth: int) -> Tree:
        if depth > DEEPEST:
            raise _UnreadableError(_line(event), f"nested more than {DEEPEST} levels deep")
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _UnreadableError(_line(event), f"*{event.anchor} stands for nothing above it")
            return self._anchors[event.anchor]
        if isinstance(event, yaml.ScalarEvent):
            value: Tree = Text(_line(event), event.value, is_plain=not event.style)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = Items(_line(event), tuple(self._items(depth)))
        else:
            value = self._fields(_line(event), depth)
        self._note_properties(event, value)
        return value

    def _note_properties(self, event: yaml.Event, value: Tree) -> None:
        tag, anchor = getattr(event, "tag", None), getattr(event, "anchor", None)
        if tag is not None:
            self._mistakes.note(Place(value.line), f"the tag {quoted(tag)}; write the value without a tag")
        if anchor in self._anchors:
            self._mistakes.note(Place(value.line), f"&{anchor} stands twice")
        if anchor:
            self._anchors[anchor] = value

    def _items(self, depth: int) -> Iterator[Tree]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._value(event, depth + 1)

    def _fields(self, line: int, depth: int) -> Fields:
        fields: dict[str, Field] = {}
        merged: list[Field] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            value = self._value(next(self._events), depth + 1)
            if not isinstance(key, Text):
                self._mistakes.note(Place(key.line), "a key that is not text")
            elif key.text == "<<" and key.is_plain and not merged:
                merged.append(Field(key.line, value))
            elif key.text in fields or key.text == "<<":
                first = merged[0] if key.text == "<<" else fields[key.text]
                self._mistakes.note(Place(key.line), f"{quoted(key.text)} stands twice; first in line {first.line}")
            else:
                fields[key.text] = Field(key.line, value)
        for one in merged:
            self._merge(fields, one)
        return Fields(line, fields)

    def _merge(self, fields: dict[str, Field], merged: Field) -> None:
        values = merged.value.items if isinstance(merged.value, Items) else (merged.value,)
        for value in values:
            if isinstance(value, Fields):
                for key, one in value.fields.items():
                    fields.setdefault(key, one)
            else:
                self._mistakes.note(Place(merged.line), "<< merges mappings alone")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
