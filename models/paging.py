"""Long lists, a part at a time. A part begins after the last row of the one before, whatever was added since."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from typing import Any, Self, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from models.errors import BadInputError

Item = TypeVar("Item")
Place = TypeVar("Place", bound=tuple[Any, ...])


class Page(list[Item]):
    """Part of a list, in the list's order."""

    following: str | None = None
    """The cursor of the part that comes next; None: this is the last one."""

    @classmethod
    def of(cls, found: Iterable[Item], limit: int, place: Callable[[Item], tuple[object, ...]]) -> Self:
        """The first ``limit`` rows of ``found``, which has one more where another part follows.

        ``place``: what the list is sorted by, of one row; unique.
        """
        page = cls(found)
        if len(page) > limit:
            del page[limit:]
            page.following = urlsafe_b64encode(to_json(place(page[-1]))).decode().rstrip("=")
        return page


def read_cursor(cursor: str, kind: type[Place]) -> Place:
    """The place in its list that a cursor names. Raises ``BadInputError``: people can edit addresses."""
    try:
        return TypeAdapter(kind).validate_json(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValidationError, binascii.Error, UnicodeError, ValueError):
        raise BadInputError("The address names no place in this list.", advice="Begin at its top.") from None
