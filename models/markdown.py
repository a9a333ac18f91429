"""Text of people in Markdown: the Temporal UI shows summaries and details so."""

import re

MARKUP = re.compile(r"[\\`*_\[\]<>#|~&]")
"""What means something to Markdown or HTML in the middle of a line."""


def escape(text: str) -> str:
    """``text`` on one line, for Markdown to show as it is.

    Reasons are written by technicians: unescaped, one could look like an alarm, or like a link from us.
    """
    return MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
