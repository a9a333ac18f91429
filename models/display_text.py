"""Microsoft's display texts, made fit to be compared.

They are written for people: the activity of a secret that was added to an application has an en dash and ends with a
space, others have no-break spaces, and capitals change from one page of Microsoft's to the next.
"""

from __future__ import annotations

import unicodedata

_DASHES = frozenset("\N{MINUS SIGN}\N{HYPHEN BULLET}\N{MODIFIER LETTER MINUS SIGN}")
"""Those that Unicode does not count as dashes (category ``Pd``)."""
_APOSTROPHES = frozenset("\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}")


def comparable(text: str) -> str:
    """The text with one kind of space, dash and apostrophe, in lower case, without invisible characters.

    Idempotent. Compare with it, never show it.
    """
    return " ".join("".join(map(_plain, text.casefold())).split())


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Pd" or character in _DASHES:
        return "-"
    if character in _APOSTROPHES:
        return "'"
    return "" if category == "Cf" else character
