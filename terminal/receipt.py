"""The receipt of one grant, as a page in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from models.messages import Receipt, Standing, Step
from models.sweep import SweepFinding
from terminal.words import coloured, moment


def show_receipt(console: Console, receipt: Receipt) -> None:
    """What was asked, decided and done, what the directory said, and how late the closing was."""
    request = receipt.request
    console.print(
        f"[bold]Receipt of the grant {request.request_id}[/]  {coloured(receipt.ending.state)}", highlight=False
    )
    _rows(
        console,
        ("asked", f"{request.technician} for {request.tenant}, at {moment(request.asked_at)}"),
        ("by", receipt.requested_by),
        ("replay of", request.replay_of),
        ("reason", request.reason),
        ("ticket", request.ticket),
        ("decided", f"{receipt.decision} ({moment(receipt.decided_at)})"),
        ("account", receipt.account_name),
        ("opened", moment(receipt.opened_at)),
        ("expiry", moment(receipt.expires_at)),
        ("ended", receipt.ending.sentence),
        ("disabled", moment(receipt.disabled_at)),
        ("proven", moment(receipt.proven_at)),
        ("read back", _standing(receipt.standing) if receipt.standing else None),
    )
    if receipt.lateness is not None and receipt.proven_lateness is not None:
        seconds, proven = receipt.lateness.total_seconds(), receipt.proven_lateness.total_seconds()
        console.print(
            f"  [bold]late by    {seconds:.2f} s; proven after {proven:.2f} s[/]", highlight=False, soft_wrap=True
        )
    if not receipt.proof.is_proven:
        console.print(
            f"  [bold white on red] {receipt.proof.value.upper()} [/] the closing is not proven", highlight=False
        )
    _show_sweep(console, receipt)
    for alarm in receipt.alarms:
        console.print(f"  [bold red]alarm[/]      {escape(alarm)}", highlight=False, soft_wrap=True)
    if receipt.steps:
        console.print("  [bold]steps[/]")
        for step in receipt.steps:
            console.print(f"    {step_line(step)}", highlight=False, soft_wrap=True)
    for addendum in receipt.addenda:
        console.print(
            f"  [bold]addendum[/]   {moment(addendum.at)}  {addendum.kind.value}: {escape(addendum.sentence)}",
            highlight=False,
            soft_wrap=True,
        )
        for finding in addendum.findings:
            console.print(f"    {finding_line(finding)}", highlight=False, soft_wrap=True)
        for done in addendum.done:
            console.print(f"    [dim]{done.times:>5} x {escape(done.activity)}[/]", highlight=False, soft_wrap=True)


def step_line(step: Step) -> str:
    """``14:03:22.418Z opened (1 call, request-id …)``."""
    evidence = ""
    if step.calls:
        count = len(step.calls)
        evidence = f"  [dim]{count} call{'s' if count > 1 else ''}, request-id {step.calls[-1].request_id}[/]"
    note = f": {escape(step.note)}" if step.note else ""
    return f"{step.at:%H:%M:%S}.{step.at.microsecond // 1000:03}Z  {step.name}{note}{evidence}"


def _show_sweep(console: Console, receipt: Receipt) -> None:
    for finding in receipt.findings:
        console.print(f"  {finding_line(finding)}", highlight=False, soft_wrap=True)
    if receipt.unswept:
        console.print(f"  [bold]unswept[/]    {escape(receipt.unswept)}", highlight=False, soft_wrap=True)
    elif receipt.swept and not receipt.findings:
        console.print("  sweep      nothing was left behind", highlight=False)
    elif receipt.opened_at and not receipt.swept:
        console.print("  sweep      none was made", highlight=False)


def finding_line(finding: SweepFinding) -> str:
    """``found      A sign-in method was registered: phone. It was removed.``."""
    colour = "bold red" if finding.alarming else "bold"
    removed = " It was removed." if finding.removed else ""
    return f"[{colour}]found[/]      {escape(finding.sentence)}{removed}"


def _standing(standing: Standing) -> str:
    if standing.held_by:
        return f"held by the later grant {standing.held_by}"
    if not standing.exists:
        return "no such account in the directory"
    if standing.is_closed:
        return "disabled; no roles, memberships or sign-in methods"
    return "not closed"


def _rows(console: Console, *rows: tuple[str, str | None]) -> None:
    for name, value in rows:
        if value and value != "-":
            console.print(f"  {name:<11}{value}", markup=False, highlight=False, soft_wrap=True)
