"""Emergency accounts, and when each was last known to work."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from entra_jit.cli.views.formatting import line, moment, shown, table
from models.messages import EmergencyAccountView, EmergencyRef, KitAccount, SignInOutcome


def show_accounts(console: Console, accounts: Sequence[EmergencyAccountView]) -> None:
    """One line an account, and below it what a person should know."""
    if not accounts:
        console.print("No emergency accounts. Set emergency_accounts in the configuration.")
        return
    table(
        console,
        ("account", "last sign-in", "rotates"),
        [((_name(one), _proof(one), _rotates(one)), _remarks(one)) for one in accounts],
    )


def _name(account: EmergencyAccountView) -> str:
    return shown(account.account_name) or f"{shown(account.tenant)} {account.number}: not made yet"


def _proof(account: EmergencyAccountView) -> str:
    if account.drill_outcome is None:
        return "-"
    if account.drill_outcome is SignInOutcome.SIGNED_IN:
        return f"[green]{moment(account.drilled_at)}[/]"
    return f"[bold red]{account.drill_outcome.value}[/]"


def _rotates(account: EmergencyAccountView) -> str:
    is_kept = account.in_kit_since is not None and not account.kit_is_stale
    return moment(account.rotates_at) if account.rotates_at else "when asked" if is_kept else "-"


def _remarks(account: EmergencyAccountView) -> list[str]:
    failed = account.drill_outcome not in {None, SignInOutcome.SIGNED_IN}
    seen_by = f"Revealed to {shown(str(account.revealed_to))} at {moment(account.revealed_at)}."
    return [
        "" if account.credential else "[bold red]No credential is known to work.[/]",
        f"Tried at {moment(account.drilled_at)}: {shown(account.drill_detail) or 'no detail'}" if failed else "",
        seen_by if account.revealed_at else "",
        f"Usable until {moment(account.usable_until)}, then rotated." if account.usable_until else "",
        _kit(account) if account.in_kit_since else "",
        "" if account.is_wanted else "No longer in the configuration; it still signs in.",
    ]


def _kit(account: EmergencyAccountView) -> str:
    since = moment(account.in_kit_since)
    return f"The kit of {since} is stale: make a new one." if account.kit_is_stale else f"In the kit of {since}."


def show_begun(console: Console, accounts: Sequence[EmergencyRef], what: str) -> None:
    """What was asked for, and where to look."""
    for one in accounts:
        line(console, f"{what} of {shown(one.words)} begins. `starter.py emergency list` says how it went.")


def show_kit(console: Console, found: Sequence[KitAccount], made: str) -> None:
    """Whether a kit still opens what it was made for."""
    stale = [one for one in found if not one.is_current]
    if not stale:
        line(console, f"[green]Current.[/] Made at {made}; {len(found)} credentials, none rotated since.")
        return
    line(console, f"[bold red]Stale.[/] Made at {made}; {len(stale)} of {len(found)} credentials were rotated since.")
