"""Times, states and lines, as a terminal shows them."""

from __future__ import annotations

from datetime import datetime

from rich.console import Console
from rich.markup import escape

from models.messages import GrantState

COLOURS = {
    GrantState.OPEN: "bold green",
    GrantState.PREPARING: "cyan",
    GrantState.ASKED: "cyan",
    GrantState.CLOSING: "yellow",
    GrantState.PARKED: "bold yellow",
    GrantState.DENIED: "red",
    GrantState.FAILED: "bold red",
}


def coloured(state: GrantState, word: str | None = None) -> str:
    """The state, or another word for it, in its colour."""
    colour, word = COLOURS.get(state), word or state.value
    return f"[{colour}]{word}[/]" if colour else word


def with_state(state: GrantState, sentence: str) -> str:
    """The sentence behind its state, or alone if it begins with the state."""
    if sentence.lower().startswith(state.value):
        return coloured(state, sentence[: len(state.value)]) + escape(sentence[len(state.value) :])
    return f"{coloured(state)}: {escape(sentence)}"


def moment(at: datetime | None) -> str:
    """A point in time in UTC, or a dash."""
    return f"{at:%Y-%m-%d %H:%M:%SZ}" if at else "-"


def clock(at: datetime, *, milliseconds: bool = True) -> str:
    """The time of day in UTC."""
    return f"{at:%H:%M:%S}" + (f".{at.microsecond // 1000:03}Z" if milliseconds else "Z")


def line(console: Console, text: str) -> None:
    """One line of marked-up text, wrapped by the terminal itself: what is copied from it is whole."""
    console.print(text, highlight=False, soft_wrap=True)


def rows(console: Console, *named: tuple[str, object]) -> None:
    """A line for each that has a value."""
    for name, value in named:
        if value and value != "-":
            line(console, f"  {name:<11}{escape(str(value))}")
