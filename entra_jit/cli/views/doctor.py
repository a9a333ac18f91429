"""What the doctor found in tenants."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from entra_jit.accounts.doctor.canary import told_attempt
from entra_jit.cli.views.formatting import GAP, line, shown
from models.checks import CheckState, Examination, Finding, Repaired
from models.messages import GrantStatus, SignInAttempt

_COLOURS = {
    CheckState.OK: "green",
    CheckState.UNKNOWN: "dim",
    CheckState.WARNING: "bold yellow",
    CheckState.FAILED: "bold red",
}
_WIDTH = max(map(len, CheckState))
_INDENT = len("D101") + _WIDTH + 2 * len(GAP)


def show_examinations(console: Console, examinations: Sequence[Examination]) -> None:
    """Each tenant with a line a check, and below it what to do; the verdict last."""
    if not examinations:
        console.print("No tenants.")
    for number, examination in enumerate(examinations):
        if number:
            console.print()
        line(console, f"[bold]{shown(examination.tenant)}[/]")
        for finding in examination.findings:
            _show(console, finding)
        line(console, _verdict(examination))


def show_worst(console: Console, examination: Examination) -> None:
    """The worst finding alone, where one is not good, and the verdict."""
    worst = max(examination.findings, key=lambda finding: finding.state.rank)
    if worst.state.rank:
        _show(console, worst)
    line(console, _verdict(examination))


def show_canary(console: Console, canary: GrantStatus, attempt: SignInAttempt | None) -> None:
    """What was seen of it, and how its sign-in went."""
    if canary.opened_at is None:
        line(console, f"[bold red]Not opened.[/] {shown(canary.sentence)}")
    elif canary.closed_at is None:
        line(console, f"[bold red]Opened, and not proven closed.[/] {shown(canary.sentence)}")
    else:
        line(console, f"[green]Opened, closed and proven.[/] {shown(told_attempt(attempt))}")


def show_repairs(console: Console, tenant: str, repairs: Sequence[Repaired]) -> None:
    """A line for each change: what it is, and what has become of it."""
    if not repairs:
        line(console, f"{shown(tenant)}: nothing that the doctor can repair.")
    for repair in repairs:
        line(console, f"{repair.check.code}{GAP}{_outcome(repair)}{shown(repair.change)}", hang=len("D101") + len(GAP))
        if repair.refused:
            line(console, f"{' ' * len('D101')}{GAP}{shown(repair.refused)}", hang=0)


def _outcome(repair: Repaired) -> str:
    if repair.refused:
        return "[bold red]refused[/]: "
    if repair.done:
        return "[green]done[/]: "
    return "[bold yellow]by hand[/]: " if repair.by_hand else ""


def _show(console: Console, finding: Finding) -> None:
    state = f"[{_COLOURS[finding.state]}]{finding.state.value:<{_WIDTH}}[/]"
    line(console, f"{finding.check.code}{GAP}{state}{GAP}{finding.check.title}: {shown(finding.read)}", hang=_INDENT)
    if finding.to_do:
        line(console, f"{' ' * _INDENT}{shown(finding.to_do)}", hang=0)


def _verdict(examination: Examination) -> str:
    counts = {state: sum(one.state is state for one in examination.findings) for state in CheckState}
    told = ", ".join(f"{number} {state.value}" for state, number in counts.items() if number)
    usable = "Grants can be opened and closed." if examination.is_usable else "[bold red]Not ready for grants.[/]"
    return f"{usable} {told}."
