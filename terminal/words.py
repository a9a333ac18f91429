"""Times and states, as a terminal shows them."""

from __future__ import annotations

from datetime import datetime

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
