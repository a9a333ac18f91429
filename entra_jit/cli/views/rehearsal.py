"""How the rehearsal of an upgrade goes, and what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from entra_jit.cli.views.formatting import line, moment
from entra_jit.operations.rehearse_upgrade import Broken, Rehearsal

MANY = 20
"""From how many executions on a bar is shown; fewer are replayed before one could be read."""


@contextmanager
def progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """What is to be told how far the replaying has come."""
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("replaying", visible=False)
        yield lambda done, of: bar.update(task, completed=done, total=of, visible=of >= MANY)


def show_rehearsal(console: Console, rehearsal: Rehearsal) -> None:
    """A line for each execution that would break, and what comes of it."""
    for broken in rehearsal.breaks:
        line(console, f"[bold red]breaks[/]  [bold]{broken.workflow_id}[/]  {_whose(broken)}")
        line(console, f"        {escape(broken.because)}")
    of = "" if rehearsal.replayed == rehearsal.running else f" of {rehearsal.running}"
    replayed = f"{rehearsal.replayed}{of} open execution{'' if rehearsal.running == 1 else 's'}"
    if not rehearsal.breaks:
        line(console, f"{replayed} replayed: this code can go on with {'it' if rehearsal.replayed == 1 else 'them'}.")
        return
    line(console, f"{replayed} replayed, {len(rehearsal.breaks)} would break: do not deploy this code.")
    line(console, "Put the change of commands behind workflow.patched (docs/upgrading.md), and rehearse again.")


def _whose(broken: Broken) -> str:
    known = (broken.technician, broken.tenant, broken.state, broken.expires_at and f"until {moment(broken.expires_at)}")
    return "  ".join(escape(part) for part in known if part)
