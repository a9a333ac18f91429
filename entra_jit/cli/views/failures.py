"""What needs an operator, and what became of it when it was replayed."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from entra_jit.cli.views.formatting import coloured, line, moment, shown, stuck, table
from entra_jit.operations.list_failures import Failure
from entra_jit.operations.replay_provisioning import Replayed

NOTHING = "Nothing to replay."


def show_failures(console: Console, failures: Sequence[Failure]) -> None:
    """Some lines for each, and one that counts them."""
    if failures:
        table(console, ("grant", "state", "since"), [_row(failure) for failure in failures])
    classes = Counter(failure.failure_class for failure in failures)
    counted = ", ".join(f"{number} {name}" for name, number in sorted(classes.items()))
    line(console, f"{len(failures)} need attention: {counted}." if failures else "No failures.")


def _row(failure: Failure) -> tuple[tuple[str, str, str], list[str]]:
    kind = f"{failure.failure_class} ({failure.failure})" if failure.failure else f"{failure.failure_class}"
    cells = (shown(failure.request_id), coloured(failure.state), moment(failure.since))
    return cells, [f"[bold]{kind}[/]: {shown(failure.sentence)}", *map(stuck, failure.steps)]


def show_plan(console: Console, failures: Sequence[Failure]) -> None:
    """What a replay of them would do."""
    for failure in failures:
        done = f"[bold]{failure.remedy}[/]" if failure.remedy else "nothing can be replayed"
        line(console, f"{shown(failure.request_id)}  {_who(failure)}  {failure.failure_class}: {done}")
    possible = any(failure.remedy for failure in failures)
    line(console, "Nothing was done. Pass --yes to do it." if possible else NOTHING)


def show_outcomes(console: Console, outcomes: Sequence[Replayed]) -> None:
    """A line for each."""
    for replayed in outcomes:
        mark = "[green]✓[/]" if replayed.goes_on else "[bold red]✗[/]"
        line(console, f"{mark} [bold]{shown(replayed.request_id)}[/]  {shown(replayed.sentence)}")
    if not outcomes:
        line(console, NOTHING)


async def follow(console: Console, outcomes: AsyncIterator[Replayed], total: int) -> list[Replayed]:
    """Everything that comes, with a bar for those who watch."""
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn())
    found = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("replaying", total=total)
        async for replayed in outcomes:
            found.append(replayed)
            progress.advance(task)
    return found


def _who(failure: Failure) -> str:
    return shown(f"{failure.technician} in {failure.tenant}")
