"""What stands, and since when."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from entra_jit.cli.views.formatting import moment, shown
from models.alarms import Alarm


def show_alarms(console: Console, alarms: Sequence[Alarm]) -> None:
    """One line an alarm, the newest first."""
    if not alarms:
        console.print("No alarms.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("raised", "alarm", "about", "tenant", ""):
        table.add_column(column, overflow="fold")
    for alarm in alarms:
        over = alarm.cleared_at is not None
        table.add_row(
            moment(alarm.raised_at),
            f"[dim]{alarm.kind.value}[/]" if over else f"[bold red]{alarm.kind.value}[/]",
            shown(alarm.subject),
            shown(alarm.tenant),
            shown(alarm.sentence)
            + (f" [green]All clear {moment(alarm.cleared_at)}: {shown(alarm.ended)}[/]" if over else ""),
        )
    console.print(table)
