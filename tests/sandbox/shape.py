"""Whether an answer has the shape that was written down: the same keys, and values of the same kind.

In a fixture ``<guid>``, ``<tenant>``, ``<origin>``, ``<time>``, ``<number>``, ``<jwt>`` and ``<text>`` stand for text
of that kind, ``<int>`` for a whole number; a key with ``?`` may be missing; ``...`` repeats the item before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue

_FIXTURES = Path(__file__).parent / "fixtures"
_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PART = r"[A-Za-z0-9_-]+"
_KINDS = {
    "<guid>": _GUID,
    "<tenant>": rf"(?:{_GUID}|\{{tenantid\}}|common|organizations)",
    "<origin>": r"https://localhost:\d+",
    "<time>": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ",
    "<number>": r"\d+",
    "<region>": "EU",
    "<jwt>": rf"{_PART}\.{_PART}\.{_PART}",
    "<text>": r".+",
}


def fixture(name: str) -> JsonValue:
    """A shape from the folder of fixtures."""
    found: JsonValue = json.loads((_FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def differences(found: JsonValue, shape: JsonValue, where: str = "$") -> Iterator[str]:
    """Where the answer is not of this shape, one sentence each."""
    if isinstance(shape, dict) and isinstance(found, dict):
        yield from _in_object(found, shape, where)
    elif isinstance(shape, list) and isinstance(found, list):
        yield from _in_list(found, shape, where)
    elif shape == "<int>":
        if not isinstance(found, int) or isinstance(found, bool):
            yield f"{where}: {found!r} is no whole number"
    elif isinstance(shape, str) and isinstance(found, str):
        if not re.fullmatch(_pattern(shape), found):
            yield f"{where}: {found!r} is not like {shape!r}"
    elif found != shape:
        yield f"{where}: {found!r} is not {shape!r}"


def _in_object(found: dict[str, JsonValue], shape: dict[str, JsonValue], where: str) -> Iterator[str]:
    expected = {name.removesuffix("?"): kind for name, kind in shape.items()}
    yield from (f"{where}: has {name} too" for name in found.keys() - expected.keys())
    yield from (f"{where}: lacks {name}" for name in shape.keys() - found.keys() if not name.endswith("?"))
    for name in found.keys() & expected.keys():
        yield from differences(found[name], expected[name], f"{where}.{name}")


def _in_list(found: list[JsonValue], shape: list[JsonValue], where: str) -> Iterator[str]:
    if shape[-1:] == ["..."]:
        shape = [shape[0]] * max(len(found), 1)
    if len(found) != len(shape):
        yield f"{where}: has {len(found)} items, not {len(shape)}"
    for number, (one, kind) in enumerate(zip(found, shape, strict=False)):
        yield from differences(one, kind, f"{where}[{number}]")


def _pattern(shape: str) -> str:
    parts = re.split("(<[a-z]+>)", shape)
    return "".join(_KINDS.get(part, re.escape(part)) for part in parts)
