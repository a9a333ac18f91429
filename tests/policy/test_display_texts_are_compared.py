"""Microsoft wrote an activity with a space at its end and a dash that is no hyphen, and a secret went unseen."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.display_text import comparable

SPACES = [*map(chr, (0x20, 0x09, 0x0A, 0xA0, 0x1680, 0x2003, 0x2009, 0x202F, 0x205F, 0x3000))]
DASHES = [character for character in map(chr, range(0x10000)) if unicodedata.category(character) == "Pd"] + ["\u2212"]
WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyz()", min_size=1, max_size=8), min_size=1, max_size=6)


@given(words=WORDS, data=st.data())
def test_spaces_dashes_and_capitals_make_no_difference(words: list[str], data: st.DataObject) -> None:
    spaces = st.text(SPACES, min_size=1, max_size=3)
    written = data.draw(st.text(SPACES, max_size=2))
    for word in words:
        written += data.draw(st.sampled_from([word, word.upper(), word.title()]))
        written += data.draw(spaces) + data.draw(st.sampled_from(DASHES)) + data.draw(spaces)
    assert comparable(written) == " ".join(f"{word} -" for word in words)


@given(st.text())
def test_what_was_made_comparable_stays_so(text: str) -> None:
    once = comparable(text)
    assert comparable(once) == once
    assert comparable(f"\u00a0{text}\u200b ") == once


@pytest.mark.parametrize(
    "other", ["Add owner to group", "Add member of group", "Add member to groups", "Addmember to group"]
)
def test_other_words_stay_other_words(other: str) -> None:
    assert comparable(other) != comparable("Add member to group")


def test_the_activity_as_microsoft_writes_it() -> None:
    written = "Update application \N{EN DASH} Certificates and secrets management "
    assert len(written) == 57, "as measured in a real workspace"
    assert comparable(written) == "update application - certificates and secrets management"
