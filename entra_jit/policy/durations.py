"""How long: reading what people type for hours, keeping it within limits, and saying it back."""

from __future__ import annotations

import math
import re
from datetime import timedelta

from models.errors import BadInputError

SHORTEST = timedelta(seconds=10)
LONGEST = timedelta(days=7)
"""No tenant may be configured beyond this."""

DEFAULT = timedelta(hours=4)

DECISION_WINDOW = timedelta(hours=1)
"""How long after it was asked for access may still be decided."""

PROVISIONING_WINDOW = timedelta(hours=1)
"""How long after it was decided access may still open. From the decision, so that one may wait for an approval."""

PROVISIONING_STEP = timedelta(seconds=45)
"""How long one try of a step that opens may take; one that was begun just before a fence may write for so long."""

_ISO_8601 = re.compile(
    r"P(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)


_AGE = re.compile(r"(?P<number>[0-9]{1,5}) ?(?P<unit>d|h|m|s)", re.ASCII)
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse_duration(text: str) -> timedelta:
    """Read hours (``4``, ``1.5``) or an ISO 8601 duration (``PT20S``, ``PT1H30M``, ``P1D``)."""
    wanted = text.strip().upper()
    iso = _ISO_8601.fullmatch(wanted)
    if iso and any(iso.groups()):
        parts = {unit: float(number) for unit, number in iso.groupdict().items() if number}
        try:
            return _within(timedelta(**parts), text)
        except OverflowError:
            raise _out_of_range(text) from None
    if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", wanted):
        return _within(timedelta(hours=float(wanted)), text)
    raise BadInputError(f"{text!r} is not a duration; use hours (4, 1.5) or ISO 8601 (PT90M)")


def parse_age(text: str) -> timedelta:
    """Read how long ago: ``90m``, ``24h``, ``7d``."""
    if age := _AGE.fullmatch(text.strip().lower()):
        return timedelta(**{_UNITS[age["unit"]]: int(age["number"])})
    raise BadInputError(f"{text!r} is not an age; use 90m, 24h or 7d")


def _within(duration: timedelta, text: str) -> timedelta:
    if not SHORTEST <= duration <= LONGEST:
        raise _out_of_range(text)
    return duration


def _out_of_range(text: str) -> BadInputError:
    return BadInputError(f"{text!r} is out of range: from {format_duration(SHORTEST)} to {format_duration(LONGEST)}")


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
