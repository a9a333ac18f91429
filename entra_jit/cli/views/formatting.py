"""Times, states, lines and tables, as a terminal shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich import markup
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from models.messages import GrantState, StuckStep
from models.moments import format_moment
from models.plain_text import plain

GAP = "  "

COLOURS = {
    GrantState.OPEN: "bold green",
    GrantState.PREPARING: "cyan",
    GrantState.ASKED: "cyan",
    GrantState.CLOSING: "yellow",
    GrantState.PARKED: "bold yellow",
    GrantState.DENIED: "red",
    GrantState.FAILED: "bold red",
    GrantState.ABANDONED: "bold red",
}


def shown(text: str | None) -> str:
    """``text`` of any origin for a line of marked-up text: one line, and no markup of its own."""
    said = plain(text or "")
    words = said.rstrip("\\")
    # A backslash before a tag of ours would take its meaning away; rich escapes a single one.
    return markup.escape(words) + "\\\\" * (len(said) - len(words))


def coloured(state: GrantState, word: str | None = None) -> str:
    """The state, or another word for it, in its colour."""
    colour, word = COLOURS.get(state), word or state.value
    return f"[{colour}]{word}[/]" if colour else word


def with_state(state: GrantState, sentence: str) -> str:
    """The sentence behind its state, or alone if it begins with the state."""
    said = shown(sentence)
    if said.lower().startswith(state.value):
        return coloured(state, said[: len(state.value)]) + said[len(state.value) :]
    return f"{coloured(state)}: {said}"


def moment(at: datetime | None) -> str:
    """A point in time in UTC, or a dash."""
    return format_moment(at) if at else "-"


def clock(at: datetime, *, milliseconds: bool = True) -> str:
    """The time of day in UTC."""
    return f"{at:%H:%M:%S}" + (f".{at.microsecond // 1000:03}Z" if milliseconds else "Z")


def line(console: Console, text: str, *, hang: int = 2) -> None:
    """One line of marked-up text; in a terminal wrapped between words, further rows indented by ``hang`` more.

    Words stay whole however long, so that what is copied is whole; without a terminal the line does, for ``grep``.
    """
    written = Text.from_markup(text)
    console.print(
        _wrapped(written, console.width, hang) if console.is_terminal else written, highlight=False, soft_wrap=True
    )


def table(console: Console, heads: Sequence[str], rows: Iterable[tuple[Sequence[str], Sequence[str]]]) -> None:
    """Marked-up cells under their heads, and below each row its remarks, each a line of its own.

    Only the first column may have long cells: one that is too long for its column stands in a line of its own.
    """
    made = [([Text.from_markup(cell) for cell in cells], remarks) for cells, remarks in rows]
    head = [Text(name, style="bold") for name in heads]
    widths = [max(cell_len(cell.plain) for cell in column) for column in zip(head, *(c for c, _ in made), strict=True)]
    widths[0] = max(min(widths[0], console.width - sum(widths[1:]) - len(GAP) * (len(widths) - 1)), len(heads[0]))
    for cells, remarks in [(head, ()), *made]:
        long = cell_len(cells[0].plain) > widths[0]
        if long:
            console.print(cells[0], highlight=False, soft_wrap=True)
        padded = [cell + Text(" " * (width - cell_len(cell.plain))) for cell, width in zip(cells, widths, strict=True)]
        row = Text(GAP).join([Text(" " * widths[0]), *padded[1:]] if long else padded)
        row.rstrip()
        console.print(row, highlight=False, soft_wrap=True)
        for remark in filter(None, remarks):
            line(console, f"{GAP}{remark}")


def _wrapped(text: Text, width: int, hang: int) -> Text:
    start = len(text.plain) - len(text.plain.lstrip())
    indent = start + hang
    breaks: list[int] = []
    for word in re.finditer(r"\S+", text.plain):
        room = width - indent if breaks else width - start
        if word.start() > start and cell_len(text.plain[start : word.end()]) > room:
            start = word.start()
            breaks.append(start)
    parts = text.divide(breaks)
    for part in parts:
        part.rstrip()
    return Text("\n" + " " * indent).join(parts)


def say(console: Console, sentence: str) -> None:
    """A sentence, whatever it quotes, on a line."""
    line(console, shown(sentence))


def rows(console: Console, *named: tuple[str, object]) -> None:
    """A line for each that has a value; the parts of a tuple are set apart."""
    for name, value in named:
        parts = value if isinstance(value, tuple) else (value,)
        if said := "  ".join(shown(str(part)) for part in parts if part and part != "-"):
            line(console, f"  {name:<11}{said}", hang=11)


def stuck(step: StuckStep) -> str:
    """``close: attempt 5, next try 2026-11-23 12:00:31Z``."""
    when = "paused in Temporal" if step.paused else f"next try {moment(step.next_try)}" if step.next_try else "running"
    return f"{shown(step.name)}: attempt {step.attempt}, {when}"
