"""What stands, and since when."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from entra_jit.cli.views.formatting import moment, shown, table
from models.alarms import Alarm


def show_alarms(console: Console, alarms: Sequence[Alarm]) -> None:
    """One line an alarm, the newest first."""
    if not alarms:
        console.print("No alarms.")
        return
    table(
        console,
        ("about", "alarm", "raised"),
        [((shown(alarm.subject), _kind(alarm), moment(alarm.raised_at)), _remarks(alarm)) for alarm in alarms],
    )


def _kind(alarm: Alarm) -> str:
    return f"[{'dim' if alarm.cleared_at else 'bold red'}]{alarm.kind.value}[/]"


def _remarks(alarm: Alarm) -> list[str]:
    where = f"{shown(alarm.tenant)}: " if alarm.tenant else ""
    over = f"[green]All clear {moment(alarm.cleared_at)}: {shown(alarm.ended)}[/]" if alarm.cleared_at else ""
    return [f"{where}{shown(alarm.sentence)}", over]
