"""An emergency stop as it happens, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from entra_jit.cli.views.formatting import line, shown, table
from models.holds import StoppedGrant, StopReport, StopState

COLOURS = {
    StopState.OPEN: "bold red",
    StopState.DISABLED: "yellow",
    StopState.CLOSED: "green",
    StopState.FAILED: "bold red",
}


class Count:
    """``open 2  disabled 5  closed 31  failed 0``: one line that counts, or without a terminal one line per change."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=10, transient=True)
        self._last = Text()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def __call__(self, grants: Iterable[StoppedGrant]) -> None:
        """Show how many grants are in which state."""
        counted = Counter(grant.state for grant in grants)
        line = Text("  ").join(Text(f"{state.value} {counted[state]}", COLOURS[state]) for state in StopState)
        if self._console.is_terminal:
            self._live.update(line)
        elif line != self._last:
            self._console.print(line)
        self._last = line


def show_report(console: Console, report: StopReport) -> None:
    """Every grant that was live, what came of it, and what stands from now on."""
    if report.grants:
        table(console, ("grant", "state"), [_row(grant) for grant in report.grants])
    else:
        console.print("Nothing was open.")
    if report.unheard:
        line(console, f"[yellow]Temporal was not reached: {shown(report.unheard)}[/]")
    if not report.is_proven:
        line(console, "[bold red]Not everything is proven closed. Run it again; the reconciler keeps trying.[/]")
    line(console, f"[bold red]{shown(report.stop.sentence)}[/]")


def _row(grant: StoppedGrant) -> tuple[tuple[str, str], tuple[str, ...]]:
    state = f"[{COLOURS[grant.state]}]{grant.state.value}[/]"
    return (shown(grant.request_id), state), (shown(grant.account_name), shown(grant.sentence))
