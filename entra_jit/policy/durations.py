"""How long: reading what people type for hours, keeping it within limits, and saying it back."""

from __future__ import annotations

import math
import re
from datetime import datetime, time, timedelta, timezone

from models.errors import BadInputError, quoted

SHORTEST = timedelta(seconds=10)
LONGEST = timedelta(days=7)
"""No tenant may be configured beyond this."""

DEFAULT = timedelta(hours=4)

LONGEST_BY_DEFAULT = timedelta(hours=8)

CENTURY = timedelta(days=36525)
"""The longest age: no record of ours is older, and a moment minus an age must stay within the calendar."""

DECISION_WINDOW = timedelta(hours=1)
"""How long after it was asked for access may still be decided."""

PROVISIONING_WINDOW = timedelta(hours=1)
"""How long after it was decided access may still open. From the decision, so that one may wait for an approval."""

PROVISIONING_STEP = timedelta(seconds=45)
"""How long one try of a step that opens may take; one that was begun just before a fence may write for so long."""

CLOCKS_DIFFER_BY = timedelta(seconds=10)
"""At most, between this deployment's processes, PostgreSQL, Temporal and Microsoft; beyond it nothing is opened."""

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"

_HOURS = re.compile(r"(?P<hours>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)")
"""No leading zero: other readers of YAML take 010 for eight."""

_UNITS = re.compile(
    rf"(?:(?P<days>{_NUMBER}) ?d ?)?"
    rf"(?:(?P<hours>{_NUMBER}) ?h ?)?"
    rf"(?:(?P<minutes>{_NUMBER}) ?m(?:in)? ?|(?<=h)(?P<minutes_after_hours>[0-5][0-9])\Z)?"
    rf"(?:(?P<seconds>{_NUMBER}) ?s)?"
)

_ISO_8601 = re.compile(
    rf"p(?:(?P<days>{_NUMBER})d)?"
    rf"(?:t(?=[0-9])(?:(?P<hours>{_NUMBER})h)?(?:(?P<minutes>{_NUMBER})m)?(?:(?P<seconds>{_NUMBER})s)?)?"
)


def parse_duration(text: str) -> timedelta:
    """Read hours (``4``, ``1.5``), units (``90m``, ``1h30``, ``2 h 15 min``, ``1d``) or ISO 8601 (``PT90M``).

    The one reader of the command line, of forms and of configuration files. Raises ``BadInputError``: a clock's
    ``1:30`` and a ``010`` mean different things to different readers.
    """
    wanted = text.strip().lower()
    readings = (_of_parts(pattern, wanted) for pattern in (_HOURS, _UNITS, _ISO_8601))
    duration = next((reading for reading in readings if reading is not None), None)
    if duration is None:
        raise BadInputError(f"{quoted(text)} is not a duration; write hours (4, 1.5), 90m, 1h30 or PT90M")
    if not SHORTEST <= duration <= LONGEST:
        limits = f"from {format_duration(SHORTEST)} to {format_duration(LONGEST)}"
        raise BadInputError(f"{quoted(text)} is out of range: {limits}")
    return duration


def parse_age(text: str) -> timedelta:
    """Read how long ago: ``90m``, ``24h``, ``7d``; longer than a century is a century. Raises ``BadInputError``."""
    age = _of_parts(_UNITS, text.strip().lower())
    if age is None:
        raise BadInputError(f"{quoted(text)} is not an age; use 90m, 24h or 7d")
    return min(age, CENTURY)


def until_clock(text: str, offset: int, now: datetime) -> timedelta:
    """From ``now`` until the clock shows ``text`` (``17:30``) the next time. ``offset``: minutes that UTC is ahead.

    Raises ``BadInputError``.
    """
    try:
        typed = time.fromisoformat(text.strip())
        zone = timezone(-timedelta(minutes=offset))
    except ValueError:
        raise BadInputError(f"{quoted(text)} is not a time; write it as 17:30") from None
    here = now.astimezone(zone)
    then = datetime.combine(here.date(), typed.replace(tzinfo=None), zone)
    return (then if then > here else then + timedelta(days=1)) - here


def _of_parts(pattern: re.Pattern[str], wanted: str) -> timedelta | None:
    found = pattern.fullmatch(wanted)
    written = found.groupdict().items() if found else ()
    parts = {unit.partition("_")[0]: float(number) for unit, number in written if number}
    try:
        return timedelta(**parts) if parts else None
    except OverflowError:
        return timedelta.max


def format_duration(duration: timedelta) -> str:
    """``4 h``, ``1 h 30 min``, ``20 s``, ``-3 s``: at most two units, whole ones, for people."""
    seconds = round(abs(duration).total_seconds())
    sign = "-" if duration < timedelta(0) and seconds else ""
    units = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    said = [f"{number} {unit}" for number, unit in units if number][:2]
    return sign + (" ".join(said) or "0 s")


def pass_lifetime(duration: timedelta, shortest: timedelta, longest: timedelta) -> timedelta:
    """The life of a Temporary Access Pass: the grant's, in whole minutes, within what the tenant's policy permits."""
    whole_minutes = timedelta(minutes=math.ceil(duration / timedelta(minutes=1)))
    return min(max(whole_minutes, shortest), longest)
