"""Text that people, directories or Microsoft wrote, as it may be shown: one line of printable characters.

A reason with line breaks forges the rows of a receipt; an escape sequence conceals those that follow; a character that
reverses the writing direction shows another name than the one that is stored. Cleaned when it is taken in, and again
wherever it is shown.
"""

from __future__ import annotations

import re
import unicodedata

from pydantic import BeforeValidator

_ESCAPE_SEQUENCE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]")
"""What colours, conceals and moves in a terminal. Of other sequences the characters that begin them are taken away."""

_WITHOUT_WIDTH = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""Invisible although Unicode does not count them as format characters: fillers, joiners, variation selectors."""


def plain(text: str) -> str:
    """``text`` on one line, with single spaces. Idempotent; never longer; ``str.isprintable`` is true of it."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    """The same with its spaces as they are: for a line that has an indentation of ours."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, _WITHOUT_WIDTH.sub("", _ESCAPE_SEQUENCE.sub("", text))))


ONE_LINE = BeforeValidator(lambda value: plain(value) if isinstance(value, str) else value)
"""Has a field take what people write as one line. It is cleaned, not refused: no reason may keep an account open."""


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace():
        return " "
    # Control and format characters show nothing; what is no character at all is shown to be missing.
    return "" if unicodedata.category(character) in {"Cc", "Cf"} else "\N{REPLACEMENT CHARACTER}"
