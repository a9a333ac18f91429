"""What applying a configuration does, before and after."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from entra_jit.cli.views.formatting import line, moment, shown
from models.configuration_plan import AccessChange, ConfigurationPlan, EndingGrant, TenantChange

MOST_LINES = 20
"""Of one kind. What is longer is counted; ``--json`` has all of it."""


def show_plan(console: Console, plan: ConfigurationPlan) -> None:
    """What is removed, lost and ended, then what is added and gained: the loss is what must not be overlooked."""
    for kind, changes in plan.kinds():
        _show(console, "red", f"{kind} removed ({len(changes.removed)} of {changes.before})", changes.removed)
    _show(console, "bold red", "open grants that end", [_ending(grant) for grant in plan.ending])
    _show(console, "red", "technicians lose", [_access(change) for change in plan.losses])
    _show(console, "yellow", "tenants changed", [_tenant(change) for change in plan.changed])
    for kind, changes in plan.kinds():
        _show(console, "green", f"{kind} added", changes.added)
    _show(console, "green", "technicians gain", [_access(change) for change in plan.gains])


def show_applied(console: Console, plan: ConfigurationPlan) -> None:
    """How much is configured now, and what ended."""
    _show(console, "yellow", "tenants changed", [_tenant(change) for change in plan.changed])
    line(console, "Applied: " + ", ".join(f"{number} {kind}" for kind, number in plan.entries.items()) + ".")
    _show(console, "bold red", "grants that end now", [_ending(grant) for grant in plan.ending])


def _show(console: Console, colour: str, title: str, items: Sequence[str]) -> None:
    if not items:
        return
    line(console, f"[{colour}]{title}[/]")
    for item in items[:MOST_LINES]:
        line(console, f"  {shown(item)}")
    if len(items) > MOST_LINES:
        line(console, f"  and {len(items) - MOST_LINES} more")


def _ending(grant: EndingGrant) -> str:
    until = f", open until {moment(grant.expires_at)}" if grant.expires_at else ""
    return f"{grant.request_id} ({grant.technician} in {grant.tenant}{until})"


def _tenant(change: TenantChange) -> str:
    said = f"{change.tenant}: {change.field}: {change.before or 'none'} -> {change.after or 'none'}"
    return f"{said}. {change.note}" if change.note else said


def _access(change: AccessChange) -> str:
    return f"{change.technician} in {change.tenant or 'every tenant'}: {', '.join(change.access)}"
