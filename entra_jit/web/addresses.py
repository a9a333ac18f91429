"""What stands behind the question mark of an address."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from models.errors import BadInputError


def given(text: str) -> str | None:
    """What a field of a form holds; None where it was left empty."""
    return text.strip() or None


def query(**values: object) -> str:
    """``?tenant=contoso``, without what is not chosen; nothing where nothing is."""
    chosen = {name: value for name, value in values.items() if value}
    return f"?{urlencode(chosen)}" if chosen else ""


def day(text: str) -> datetime | None:
    """The beginning of a day in UTC, as a browser's field for dates gives it. Raises ``BadInputError``."""
    try:
        chosen = date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise BadInputError("A date is written as 2026-11-23.") from None
    return None if chosen is None else datetime(chosen.year, chosen.month, chosen.day, tzinfo=UTC)


def next_day(text: str) -> datetime | None:
    """The end of a day in UTC. Raises ``BadInputError``."""
    begins = day(text)
    try:
        return None if begins is None else begins + timedelta(days=1)
    except OverflowError:
        raise BadInputError("That day is too late.") from None
