"""How the check of an upgrade goes, and what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from entra_jit.cli.views.formatting import line, moment, shown
from entra_jit.operations.check_upgrade import BrokenExecution, UpgradeCheck

MANY = 20
"""From how many executions on a bar is shown; fewer are replayed before one could be read."""


@contextmanager
def progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """What is to be told how far the replaying has come."""
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("replaying", visible=False)
        yield lambda done, of: bar.update(task, completed=done, total=of, visible=of >= MANY)


def show_upgrade_check(console: Console, check: UpgradeCheck) -> None:
    """A line for each execution that would break, and what comes of it."""
    for broken in check.breaks:
        line(console, f"[bold red]breaks[/]  [bold]{shown(broken.workflow_id)}[/]  {_whose(broken)}")
        line(console, f"        {shown(broken.because)}")
    of = "" if check.replayed == check.running else f" of {check.running}"
    replayed = f"{check.replayed}{of} open execution{'' if check.running == 1 else 's'}"
    if not check.breaks:
        line(console, f"{replayed} replayed: this code can continue {'it' if check.replayed == 1 else 'them'}.")
        return
    line(console, f"{replayed} replayed, {len(check.breaks)} would break: do not deploy this code.")
    line(console, "Put the change behind workflow.patched (docs/upgrading.md), and check again.")


def _whose(broken: BrokenExecution) -> str:
    known = (broken.technician, broken.tenant, broken.state, broken.expires_at and f"until {moment(broken.expires_at)}")
    return "  ".join(shown(part) for part in known if part)
