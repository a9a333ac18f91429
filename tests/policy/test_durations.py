"""Hours are read as they were meant, or refused with a sentence.

A duration that is misread is access for the wrong time; one that raises something else is a traceback for a typo.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from entra_jit.policy.durations import (
    CENTURY,
    LONGEST,
    SHORTEST,
    format_duration,
    parse_age,
    parse_duration,
    pass_lifetime,
    until_clock,
)
from models.errors import BadInputError

whole_seconds = st.integers(int(SHORTEST.total_seconds()), int(LONGEST.total_seconds())).map(
    lambda seconds: timedelta(seconds=seconds)
)
any_durations = st.timedeltas(timedelta(days=-30), timedelta(days=30))


def _iso(duration: timedelta) -> str:
    seconds = int(duration.total_seconds())
    return f"P{seconds // 86400}DT{seconds // 3600 % 24}H{seconds // 60 % 60}M{seconds % 60}S"


@given(whole_seconds)
def test_iso_8601_is_read_as_it_was_written(duration: timedelta) -> None:
    assert parse_duration(_iso(duration)) == duration
    assert parse_duration(f" {_iso(duration).lower()} ") == duration
    assert parse_duration(f"PT{int(duration.total_seconds())}S") == duration


@given(st.integers(1, 168 * 4))
def test_hours_are_read_as_they_were_written(quarters: int) -> None:
    assert parse_duration(f"{quarters / 4}") == timedelta(minutes=15 * quarters)
    assert parse_duration(f"PT{quarters / 4}H") == timedelta(minutes=15 * quarters)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        *(("1.5", 90), ("90m", 90), ("1h30", 90), ("1H30M", 90), ("1 h 30 min", 90), ("PT90M", 90), ("pt1.5h", 90)),
        *(
            ("4h", 240),
            ("1.5h", 90),
            ("1d", 1440),
            ("1d12h", 2160),
            ("0.5", 30),
            ("90 min", 90),
            ("600s", 10),
            ("1h05", 65),
        ),
    ],
)
def test_each_way_to_write_it_is_read(text: str, minutes: int) -> None:
    """``--hours 90m`` was refused, and 90, typed instead, asks for days."""
    assert parse_duration(text) == timedelta(minutes=minutes)


@given(whole_seconds)
def test_what_we_print_can_be_typed(duration: timedelta) -> None:
    said = format_duration(duration)
    assert format_duration(parse_duration(said)) == said


@pytest.mark.parametrize(
    ("text", "age"), [("90m", timedelta(minutes=90)), ("7d", timedelta(days=7)), ("9" * 30 + "d", CENTURY)]
)
def test_an_age_is_read_and_stays_in_the_calendar(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


def test_what_is_long_is_cut_in_the_sentence() -> None:
    with pytest.raises(BadInputError) as refused:
        parse_duration("x" * 5000)
    assert len(str(refused.value)) < 200


@given(st.text(max_size=40) | st.from_regex(r"P?[0-9.]{0,30} ?D?T?[0-9.]{0,30}[HMS]?[0-9]{0,3}[MS]?", fullmatch=True))
@example("P9999999999999999D")
@example("PT" + "9" * 400 + "H")
@example("9" * 400)
@example("P1DT")
@example("\N{ARABIC-INDIC DIGIT FOUR}")
@example("nan")
@example("-4")
def test_whatever_is_typed_is_within_the_bounds_or_refused_with_a_sentence(text: str) -> None:
    with suppress(BadInputError):
        assert SHORTEST <= parse_duration(text) <= LONGEST


@pytest.mark.parametrize(
    "nonsense",
    [
        *(
            "",
            " ",
            "P",
            "PT",
            "P1DT",
            "T4H",
            "four",
            "1:30",
            "0:30",
            "010",
            "08",
            "0x10",
            "1_0",
            "1h5",
            "1h30 20s",
            "1h30x",
            "30 1h",
            "4 4",
            "h",
            "d",
            "1e3",
            "-4",
            "+4",
            "nan",
            "inf",
            "PT4",
            "P1Y",
            "PT-4H",
            "1,5",
            ".5",
            "1.",
        ),
        *("\N{ARABIC-INDIC DIGIT FOUR}", "PT\N{ARABIC-INDIC DIGIT FOUR}H"),
    ],
)
def test_nonsense_is_refused_and_the_sentence_says_what_is_allowed(nonsense: str) -> None:
    with pytest.raises(BadInputError, match=r"write hours \(4, 1\.5\), 90m, 1h30 or PT90M"):
        parse_duration(nonsense)


@pytest.mark.parametrize("text", ["0", "PT9.9S", "PT168.1H", "P8D", "9999"])
def test_beyond_the_bounds_is_refused_and_the_sentence_says_which(text: str) -> None:
    with pytest.raises(BadInputError, match="out of range: from 10 s to 7 d"):
        parse_duration(text)


@given(any_durations)
def test_what_is_said_is_true_to_its_smallest_unit(duration: timedelta) -> None:
    said = format_duration(duration)

    units = {"d": timedelta(days=1), "h": timedelta(hours=1), "min": timedelta(minutes=1), "s": timedelta(seconds=1)}
    words = said.removeprefix("-").split()
    meant = sum((int(number) * units[unit] for number, unit in zip(words[::2], words[1::2], strict=True)), timedelta())
    assert abs(abs(duration) - meant) < max(units[words[-1]], timedelta(seconds=1))
    assert said.startswith("-") == (duration < timedelta(0) and meant > timedelta(0))
    assert len(words) <= 4


@given(whole_seconds, st.integers(10, 480), st.integers(480, 43200))
def test_a_pass_lives_as_long_as_the_grant_within_the_tenants_policy(
    duration: timedelta, shortest: int, longest: int
) -> None:
    least, most = timedelta(minutes=shortest), timedelta(minutes=longest)
    lifetime = pass_lifetime(duration, least, most)

    assert least <= lifetime <= most
    assert lifetime % timedelta(minutes=1) == timedelta(0)
    assert lifetime >= min(duration, most), "a pass that ends before its grant locks the technician out"
    assert lifetime - duration < timedelta(minutes=1) or lifetime == least


@given(
    st.timedeltas(timedelta(0), timedelta(days=366)).map(lambda since: datetime(2026, 1, 1, tzinfo=UTC) + since),
    st.integers(-840, 720),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
)
def test_until_a_time_is_the_next_time_that_the_readers_clock_shows_it(now: datetime, offset: int, at: time) -> None:
    wanted = until_clock(f"{at:%H:%M}", offset, now)
    assert timedelta(0) < wanted <= timedelta(days=1)
    assert (now + wanted - timedelta(minutes=offset)).time() == at


@pytest.mark.parametrize(("text", "offset"), [("25:00", 0), ("", 0), ("noon", 0), ("12:00", 5000)])
def test_what_is_no_time_is_refused(text: str, offset: int) -> None:
    with pytest.raises(BadInputError, match="is not a time"):
        until_clock(text, offset, datetime(2026, 11, 27, tzinfo=UTC))
