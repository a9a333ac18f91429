"""Times, states and lines, as a terminal shows them."""

from __future__ import annotations

from datetime import datetime

from rich import markup
from rich.console import Console

from models.messages import GrantState
from models.plain_text import plain

COLOURS = {
    GrantState.OPEN: "bold green",
    GrantState.PREPARING: "cyan",
    GrantState.ASKED: "cyan",
    GrantState.CLOSING: "yellow",
    GrantState.PARKED: "bold yellow",
    GrantState.DENIED: "red",
    GrantState.FAILED: "bold red",
}


def shown(text: str | None) -> str:
    """``text``, whoever wrote it, for a line of marked-up text: one line, and no markup of its own."""
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
    return f"{at:%Y-%m-%d %H:%M:%SZ}" if at else "-"


def clock(at: datetime, *, milliseconds: bool = True) -> str:
    """The time of day in UTC."""
    return f"{at:%H:%M:%S}" + (f".{at.microsecond // 1000:03}Z" if milliseconds else "Z")


def line(console: Console, text: str) -> None:
    """One line of marked-up text, wrapped by the terminal itself: what is copied from it is whole."""
    console.print(text, highlight=False, soft_wrap=True)


def say(console: Console, sentence: str) -> None:
    """A sentence, whatever it quotes, on a line."""
    line(console, shown(sentence))


def rows(console: Console, *named: tuple[str, object]) -> None:
    """A line for each that has a value; the parts of a tuple are set apart."""
    for name, value in named:
        parts = value if isinstance(value, tuple) else (value,)
        if said := "  ".join(shown(str(part)) for part in parts if part and part != "-"):
            line(console, f"  {name:<11}{said}")
