"""What a reconciliation found and did."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from entra_jit.cli.views.formatting import line, shown
from entra_jit.operations.register_accounts import Unregistered
from models.messages import TenantReport


def show_reports(console: Console, reports: Sequence[TenantReport]) -> None:
    """A line a tenant, and one for everything that was closed, reported or failed."""
    for report in reports:
        accounts = f"{report.looked_at} account{'' if report.looked_at == 1 else 's'}"
        line(
            console,
            f"[bold]{shown(report.tenant)}[/]  {accounts}" + ("" if _is_remarkable(report) else ", no findings"),
        )
        for sentence in report.closed:
            line(console, f"  [bold yellow]closed[/]    {shown(sentence)}")
        for sentence in report.reported:
            line(console, f"  [yellow]reported[/]  {shown(sentence)}")
        if report.failed:
            line(console, f"  [bold red]failed[/]    {shown(report.failed)}")
        if report.reviewed:
            line(
                console,
                f"  [green]reviewed[/]  the audit of {report.reviewed} grant{'' if report.reviewed == 1 else 's'}",
            )
        if report.unreviewed:
            line(console, f"  [bold red]unread[/]    {shown(report.unreviewed)}")


def show_unregistered(console: Console, found: Sequence[Unregistered], *, done: bool) -> None:
    """A line for every account that the register had forgotten."""
    for account in found:
        whose = f"[bold]{shown(account.account_name)}[/]  {shown(account.technician or 'unknown technician')}"
        line(console, f"{whose}  [yellow]{shown(account.because)}[/]" if account.because else whose)
    if not found:
        line(console, "No unregistered accounts.")
    elif not done:
        line(console, "Nothing was done. Pass --yes to register those without a remark.")


def _is_remarkable(report: TenantReport) -> bool:
    return bool(report.closed or report.reported or report.failed or report.reviewed or report.unreviewed)
