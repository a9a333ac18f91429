"""What permissions mean, in the words of the consent page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_DATA = Path(__file__).parent.parent / "data" / "permission_texts.json"


@dataclass(frozen=True, slots=True)
class Described:
    """A permission by name, and a sentence about it; empty if this sandbox has none."""

    name: str
    text: str


def described(permissions: frozenset[str]) -> list[Described]:
    """These permissions as the page lists them."""
    return [Described(name, _texts().get(name, "")) for name in sorted(permissions, key=str.lower)]


@cache
def _texts() -> dict[str, str]:
    texts: dict[str, str] = json.loads(_DATA.read_text(encoding="utf-8"))
    return texts
