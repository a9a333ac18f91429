"""An emergency stop as it happens, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from entra_jit.cli.views.formatting import shown
from models.holds import StoppedGrant, StopReport, StopState
from models.plain_text import plain

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
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("grant", "account", "state", ""):
        table.add_column(column, overflow="fold")
    for grant in report.grants:
        state = Text(grant.state.value, COLOURS[grant.state])
        table.add_row(shown(grant.request_id), shown(grant.account_name), state, shown(grant.sentence))
    if report.grants:
        console.print(table)
    else:
        console.print("Nothing was open.")
    if report.unheard:
        console.print(Text(plain(f"Temporal was not reached: {report.unheard}"), "yellow"), soft_wrap=True)
    if not report.is_proven:
        console.print(
            Text("Not everything is proven closed. Run it again; the reconciler keeps trying.", "bold red"),
            soft_wrap=True,
        )
    console.print(Text(plain(report.stop.sentence), "bold red"), soft_wrap=True)
