"""The receipt of one grant, as a page in the terminal."""

from __future__ import annotations

from datetime import timedelta

from rich.console import Console

from entra_jit.cli.views.formatting import clock, coloured, line, moment, rows, shown
from entra_jit.policy.durations import format_duration
from models.actor import UNNAMED, ActorKind
from models.alarms import Alarm
from models.messages import Addendum, DirectoryCall, Receipt, Standing, Step
from models.sweep import SweepFinding

MOST_CALLS = 40
"""Of one step on the page; ``--json`` has them all."""

CLAIM = "The name came unsigned through Temporal and is not proven."


def show_receipt(console: Console, receipt: Receipt) -> None:
    """What was asked, decided and done, each answer of the directory, and how late the closing was."""
    request_id = shown(receipt.request.request_id)
    line(console, f"[bold]Receipt of the grant {request_id}[/]  {coloured(receipt.ending.state)}")
    _show_request(console, receipt)
    _show_proof(console, receipt)
    _show_sweep(console, receipt)
    _show_alarms(console, receipt)
    _show_steps(console, receipt)
    for addendum in receipt.addenda:
        _show_addendum(console, addendum)


def _show_request(console: Console, receipt: Receipt) -> None:
    request = receipt.request
    hours = format_duration(request.duration) if request.duration else "the tenant's default"
    rows(
        console,
        ("asked", f"{request.technician} for {request.tenant}, {hours}, at {moment(request.asked_at)}"),
        ("by", receipt.requested_by),
        ("replay of", request.replay_of),
        ("reason", request.reason),
        ("ticket", request.ticket),
        ("asked for", ", ".join(request.access or ())),
        ("decided", f"{receipt.decision} ({moment(receipt.decided_at)})"),
        ("access", ", ".join(item.words for item in receipt.access)),
        ("tenant", (request.tenant, receipt.tenant_id) if receipt.tenant_id else None),
        ("account", (receipt.account_name, receipt.object_id)),
        ("opened", moment(receipt.opened_at)),
        ("expiry", moment(receipt.expires_at)),
        ("ending", receipt.ending.sentence),
        ("", CLAIM if receipt.ending.by.kind is ActorKind.UNKNOWN and receipt.ending.by != UNNAMED else None),
    )


def _show_proof(console: Console, receipt: Receipt) -> None:
    rows(
        console,
        ("disabled", moment(receipt.disabled_at)),
        ("proven", moment(receipt.proven_at)),
        ("read back", _standing(receipt.standing) if receipt.standing else None),
    )
    late = [f"{_seconds(receipt.lateness)}"] if receipt.lateness is not None else []
    late += [f"proven after {_seconds(receipt.proven_lateness)}"] if receipt.proven_lateness is not None else []
    if late:
        line(console, f"  [bold]late by    {'; '.join(late)}[/]")
    if not receipt.proof.is_proven:
        line(console, f"  [bold white on red] {receipt.proof.value.upper()} [/] the closing is not proven")


def _show_sweep(console: Console, receipt: Receipt) -> None:
    for finding in receipt.findings:
        line(console, f"  {finding_line(finding)}")
    if receipt.unswept:
        line(console, f"  [bold]unswept[/]    {shown(receipt.unswept)}")
    elif receipt.swept and not receipt.findings:
        line(console, "  sweep      nothing left behind")
    elif receipt.opened_at and not receipt.swept:
        line(console, "  sweep      not made")


def _show_alarms(console: Console, receipt: Receipt) -> None:
    """Those that the receipt was written with, and what became of those that were raised."""
    told = {alarm.sentence for alarm in receipt.raised}
    for sentence in receipt.alarms:
        if sentence not in told:
            line(console, f"  [bold red]alarm[/]      {shown(sentence)}")
    for alarm in receipt.raised:
        line(console, f"  [bold red]alarm[/]      {moment(alarm.raised_at)}  {_alarm(alarm)}")


def _alarm(alarm: Alarm) -> str:
    over = f" [green]Over {moment(alarm.cleared_at)}: {shown(alarm.ended)}[/]" if alarm.cleared_at else ""
    return f"{alarm.kind.value}: {shown(alarm.sentence)}{over}"


def _show_steps(console: Console, receipt: Receipt) -> None:
    if receipt.steps:
        line(console, "  [bold]steps[/]      each answer of the directory with its request-id")
    for step in receipt.steps:
        line(console, f"    {clock(step.at)}  {_done(step)}")
        _show_calls(console, step.calls)


def _show_calls(console: Console, calls: tuple[DirectoryCall, ...]) -> None:
    for call in sorted(calls, key=lambda call: call.answered_at)[:MOST_CALLS]:
        known = shown(call.request_id or f"ours {call.client_request_id}")
        answer = shown(f"{call.status} {call.method} {call.path}")
        line(console, f"      [dim]{clock(call.answered_at)}  {known}  {answer}[/]")
    if len(calls) > MOST_CALLS:
        line(console, f"      [dim]and {len(calls) - MOST_CALLS} more, in --json[/]")


def _show_addendum(console: Console, addendum: Addendum) -> None:
    line(console, f"  [bold]addendum[/]   {moment(addendum.at)}  {addendum.kind.value}: {shown(addendum.sentence)}")
    for finding in addendum.findings:
        line(console, f"    {finding_line(finding)}")
    for done in addendum.done:
        line(console, f"    [dim]{done.times:>5} x {shown(done.activity)}[/]")
    _show_calls(console, addendum.calls)


def show_summary(console: Console, receipt: Receipt) -> None:
    """The evidence in a few lines: how late the closing was, what the directory showed, what was left behind."""
    said = "" if receipt.proof.is_proven else f"[bold red]{receipt.proof.value}, not proven closed[/]"
    if receipt.proof.is_proven and receipt.lateness is not None and receipt.proven_lateness is not None:
        said = f"closed {_seconds(receipt.lateness)} late, proven after {_seconds(receipt.proven_lateness)}"
    line(console, f"  [bold]Receipt {shown(receipt.request.request_id)}[/]  {said}".rstrip())
    if receipt.standing:
        line(console, f"  read back: {shown(_standing(receipt.standing))}")
    for finding in receipt.findings:
        line(console, f"  {finding_line(finding)}")


def step_line(step: Step, *, calls: bool = True) -> str:
    """``14:03:22.418Z  opened  1 call, request-id …``, or without ``calls`` ``14:03:22Z  opened``."""
    if not calls or not step.calls:
        return f"{clock(step.at, milliseconds=calls)}  {_done(step)}"
    count = len(step.calls)
    evidence = f"{count} call{'s' if count > 1 else ''}, request-id {step.calls[-1].request_id}"
    return f"{clock(step.at)}  {_done(step)}  [dim]{shown(evidence)}[/]"


def finding_line(finding: SweepFinding) -> str:
    """``found      A sign-in method was registered: phone. It was removed.``."""
    colour = "bold red" if finding.alarming else "bold"
    removed = " It was removed." if finding.removed else ""
    return f"[{colour}]found[/]      {shown(finding.sentence)}{removed}"


def _done(step: Step) -> str:
    return shown(f"{step.name}: {step.note}" if step.note else step.name)


def _seconds(late: timedelta) -> str:
    return f"{late.total_seconds():.2f} s"


def _standing(standing: Standing) -> str:
    if standing.held_by:
        return f"held by the later grant {standing.held_by}"
    if not standing.exists:
        return "no such account in the directory"
    if standing.is_closed:
        return "disabled; no access or sign-in methods"
    return "not closed"
