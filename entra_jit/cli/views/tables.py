"""Lists of grants and one grant's status."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from entra_jit.cli.views.formatting import coloured, line, moment, rows, shown, stuck, table
from entra_jit.policy.durations import format_duration
from models.holds import Hold, HoldKind
from models.messages import CredentialKind, GrantState, GrantStatus, SignInStatus

HOLD_COLOURS = {HoldKind.PAUSE: "bold yellow", HoldKind.STOP: "bold red"}


def show_grants(console: Console, grants: Sequence[GrantStatus]) -> None:
    """One line a grant, the newest first."""
    if not grants:
        console.print("No grants.")
        return
    table(
        console,
        ("grant", "state", "expires"),
        [
            ((shown(grant.request_id) or "-", coloured(grant.state), moment(grant.expires_at)), _remarks(grant))
            for grant in grants
        ],
    )


def _remarks(grant: GrantStatus) -> list[str]:
    """What a row does not say already: an open grant's sentence is its expiry."""
    if grant.proof is not None and grant.may_be_open:
        return [f"[bold red]{grant.proof.value}, not proven closed[/]: {shown(grant.sentence)}"]
    replay = f"Replay of {shown(grant.replay_of)}." if grant.replay_of else ""
    return [replay, "" if grant.state is GrantState.OPEN else shown(grant.sentence)]


def show_status(console: Console, status: GrantStatus) -> None:
    """Everything that is known of one grant, without its steps."""
    line(console, f"[bold]{shown(status.request_id)}[/]  {coloured(status.state)}  {shown(status.sentence)}")
    rows(
        console,
        ("replay of", status.replay_of),
        ("technician", status.technician),
        ("tenant", status.tenant),
        ("account", status.account_name),
        ("asked for", ", ".join(status.wanted or ())),
        ("access", ", ".join(item.words for item in status.access)),
        ("opened", status.opened_at and moment(status.opened_at)),
        ("expires", status.expires_at and moment(status.expires_at)),
        ("closed", status.account_name and ("not proven" if status.may_be_open else moment(status.closed_at))),
        ("credential", status.sign_in and _credential(status.sign_in)),
        ("proof", status.proof and status.proof.value),
        ("lateness", status.lateness is not None and format_duration(status.lateness)),
        *(("refused", f"{stuck(step)}: {step.answer}") for step in status.stuck),
    )


def _credential(made: SignInStatus) -> str:
    parts = [
        made.kind.value.replace("_", " "),
        f"usable until {moment(made.usable_until)}" if made.usable_until else "",
        "usable once" if made.usable_once else "",
        f"revealed {moment(made.revealed_at)}" if made.revealed_at else "not revealed yet",
    ]
    return ", ".join(part for part in parts if part)


def show_replaced_pass(console: Console, status: GrantStatus) -> None:
    """That an extension has replaced the pass, where it has."""
    made = status.sign_in
    if made and made.kind is CredentialKind.TEMPORARY_ACCESS_PASS and made.revealed_at is None:
        line(console, "The earlier pass no longer works. Reveal the new one.")


def show_holds(console: Console, holds: Sequence[Hold]) -> None:
    """Every pause and stop, or that there is none."""
    if not holds:
        console.print("No pauses or stops.")
    show_banner(console, holds)


def show_banner(console: Console, holds: Sequence[Hold]) -> None:
    """A line for each pause and stop; nothing where there is none."""
    for hold in holds:
        line(console, f"[{HOLD_COLOURS[hold.kind]}]{shown(hold.sentence)}[/]")
