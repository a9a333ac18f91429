"""Lists of grants and one grant's status."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from entra_jit.cli.views.formatting import coloured, line, moment, rows, shown
from entra_jit.policy.durations import format_duration
from models.holds import Hold, HoldKind
from models.messages import GrantState, GrantStatus
from models.plain_text import plain

HOLD_COLOURS = {HoldKind.PAUSE: "bold yellow", HoldKind.STOP: "bold red"}


def show_grants(console: Console, grants: Sequence[GrantStatus]) -> None:
    """One line a grant, the newest first."""
    if not grants:
        console.print("No grants.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("grant", no_wrap=True)  # it says tenant and technician, and is copied from here
    for column in ("state", "expires", ""):
        table.add_column(column)
    for grant in grants:
        table.add_row(shown(grant.request_id), coloured(grant.state), moment(grant.expires_at), _remark(grant))
    console.print(table)


def _remark(grant: GrantStatus) -> str:
    if grant.proof is not None and not grant.proof.is_proven:
        return f"[bold red]{grant.proof.value}, not proven closed[/]: {shown(grant.sentence)}"
    replay = f"Replay of {shown(grant.replay_of)}. " if grant.replay_of else ""
    return replay + ("" if grant.state is GrantState.OPEN else shown(grant.sentence))


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
        console.print(Text(plain(hold.sentence), style=HOLD_COLOURS[hold.kind]), soft_wrap=True)
