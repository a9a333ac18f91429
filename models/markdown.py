"""Text of people in Markdown: the Temporal UI shows summaries and details so."""

import re

from models.plain_text import plain

MARKUP = re.compile(r"[\\`*_\[\]<>#|~&]")
"""What means something to Markdown or HTML in the middle of a line."""
FIRST = re.compile(r"^([0-9]{0,9})([-+=.)])")
"""What begins a list, or underlines a heading, where a line begins with it."""


def escape(text: str) -> str:
    """``text`` on one line, for Markdown to show as it is.

    Reasons are written by technicians: unescaped, one could look like an alarm, or like a link from us.
    """
    return FIRST.sub(r"\1\\\2", MARKUP.sub(r"\\\g<0>", plain(text)))
