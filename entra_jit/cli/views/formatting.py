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


def coloured(state: GrantState) -> str:
    """The state in its colour."""
    colour = COLOURS.get(state)
    return f"[{colour}]{state.value}[/]" if colour else state.value


def moment(at: datetime | None) -> str:
    """A point in time in UTC, or a dash."""
    return f"{at:%Y-%m-%d %H:%M:%SZ}" if at else "-"


def clock(at: datetime) -> str:
    """The time of day in UTC, to the millisecond."""
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}Z"


def line(console: Console, text: str) -> None:
    """One line of marked-up text, wrapped by the terminal itself: what is copied from it is whole."""
    console.print(text, highlight=False, soft_wrap=True)


def rows(console: Console, *named: tuple[str, object]) -> None:
    """A line for each that has a value."""
    for name, value in named:
        if value and value != "-":
            line(console, f"  {name:<11}{escape(str(value))}")
