"""Lists of grants and one grant's status."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from entra_jit.cli.views.formatting import coloured, line, moment, rows, shown, table
from entra_jit.policy.durations import format_duration
from models.holds import Hold, HoldKind
from models.messages import GrantState, GrantStatus

HOLD_COLOURS = {HoldKind.PAUSE: "bold yellow", HoldKind.STOP: "bold red"}


def show_grants(console: Console, grants: Sequence[GrantStatus]) -> None:
    """One line a grant, the newest first."""
    if not grants:
        console.print("No grants.")
        return
    table(
        console,
        ("grant", "state", "expires"),
        [
            ((shown(grant.request_id) or "-", coloured(grant.state), moment(grant.expires_at)), _remarks(grant))
            for grant in grants
        ],
    )


def _remarks(grant: GrantStatus) -> list[str]:
    """What a row does not say already: an open grant's sentence is its expiry."""
    if grant.proof is not None and not grant.proof.is_proven:
        return [f"[bold red]{grant.proof.value}, not proven closed[/]: {shown(grant.sentence)}"]
    replay = f"Replay of {shown(grant.replay_of)}." if grant.replay_of else ""
    return [replay, "" if grant.state is GrantState.OPEN else shown(grant.sentence)]


def show_status(console: Console, status: GrantStatus) -> None:
    """Everything that is known of one grant, without its steps."""
    line(console, f"[bold]{shown(status.request_id)}[/]  {coloured(status.state)}  {shown(status.sentence)}")
    rows(
        console,
        ("replay of", status.replay_of),
        ("technician", status.technician),
        ("tenant", status.tenant),
        ("account", status.account_name),
        ("access", ", ".join(item.words for item in status.access)),
        ("opened", status.opened_at and moment(status.opened_at)),
        ("expires", status.expires_at and moment(status.expires_at)),
        ("closed", status.closed_at and status.account_name and moment(status.closed_at)),
        ("proof", status.proof and status.proof.value),
        ("lateness", status.lateness is not None and format_duration(status.lateness)),
    )


def show_holds(console: Console, holds: Sequence[Hold]) -> None:
    """Every pause and stop, or that there is none."""
    if not holds:
        console.print("No pauses or stops.")
    show_banner(console, holds)


def show_banner(console: Console, holds: Sequence[Hold]) -> None:
    """A line for each pause and stop; nothing where there is none."""
    for hold in holds:
        line(console, f"[{HOLD_COLOURS[hold.kind]}]{shown(hold.sentence)}[/]")
