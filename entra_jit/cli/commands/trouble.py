"""The operator on call: see what is wrong, try again, give up, close what is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from entra_jit.cli.commands.options import (
    GrantId,
    Json,
    OfKind,
    OfTenant,
    Reason,
    ReplayedGrant,
    SignalsAttention,
    Since,
    TenantName,
    why,
)
from entra_jit.cli.commands.shell import cli, confirm, console, deployed, errors_told, leave, show
from models.errors import BadInputError, ExitCode

if TYPE_CHECKING:
    from entra_jit.app import App
    from entra_jit.operations.list_failures import Failures, Selection
    from entra_jit.operations.replay_provisioning import Replayed
    from models.actor import Actor
    from models.alarms import Alarm

PANEL = "On duty"


@cli.command(rich_help_panel=PANEL)
def failures(
    context: typer.Context,
    tenant: OfTenant = None,
    kind: OfKind = None,
    since: Since = None,
    exit_code: SignalsAttention = False,
    as_json: Json = False,
) -> None:
    """List grants that need an operator: parked, failed, stuck, or closing late."""
    from entra_jit.cli.views.failures import show_failures
    from entra_jit.operations.list_failures import Selection, list_failures

    selection = Selection(tenant, kind, since or Selection.since)
    listed = deployed(context, lambda actor, app: list_failures(actor, app, selection))
    show(listed.found, as_json, lambda: show_failures(console, listed.found))
    if listed.unseen:
        leave(listed.unseen, ExitCode.UNREACHABLE)
    if exit_code and listed.found:
        raise typer.Exit(ExitCode.ATTENTION)


@cli.command(rich_help_panel=PANEL)
def replay(
    context: typer.Context,
    grant: ReplayedGrant = None,
    tenant: OfTenant = None,
    kind: OfKind = None,
    since: Since = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without it, the selection is only shown.")] = False,
    as_json: Json = False,
) -> None:
    """Try again: retry parked grants, try waiting steps now, request failed grants anew."""
    from entra_jit.cli.views.failures import show_outcomes
    from entra_jit.operations.list_failures import Selection
    from entra_jit.operations.replay_provisioning import replay_provisioning

    selected = any(given is not None for given in (tenant, kind, since))
    if selected is (grant is not None):
        raise typer.BadParameter("pass either one GRANT, or --tenant, --type, --since")
    if grant is not None:
        outcome = deployed(context, lambda actor, app: replay_provisioning(actor, app, grant))
        show(outcome, as_json, lambda: show_outcomes(console, [outcome]))
        if not outcome.goes_on:
            raise typer.Exit(ExitCode.REFUSED)
    else:
        _replay_selection(context, Selection(tenant, kind, since or Selection.since), yes=yes, as_json=as_json)


def _replay_selection(context: typer.Context, selection: Selection, *, yes: bool, as_json: bool) -> None:
    from entra_jit.cli.views import failures as failures_page
    from entra_jit.operations.list_failures import list_failures
    from entra_jit.operations.replay_provisioning import replay_each

    async def work(actor: Actor, app: App) -> tuple[Failures, list[Replayed]]:
        listed = await list_failures(actor, app, selection)
        ids = [failure.request_id for failure in listed.found if failure.remedy and yes]
        outcomes = replay_each(actor, app, ids)
        return listed, await failures_page.follow(Console(stderr=True), outcomes, len(ids))

    listed, outcomes = deployed(context, work)

    def print_text() -> None:
        if yes:
            failures_page.show_outcomes(console, outcomes)
        else:
            failures_page.show_plan(console, listed.found)

    show(outcomes if yes else listed.found, as_json, print_text)
    if listed.unseen:
        leave(listed.unseen, ExitCode.UNREACHABLE)
    if not all(outcome.goes_on for outcome in outcomes):
        raise typer.Exit(ExitCode.REFUSED)


@cli.command(rich_help_panel=PANEL)
def abandon(
    context: typer.Context,
    grant: GrantId,
    reason: Annotated[str, why()],
    as_json: Json = False,
) -> None:
    """Give up a closing that cannot be proven. The alarm stays, and the reconciler keeps trying."""
    from entra_jit.cli.views.receipt import show_receipt
    from entra_jit.operations.abandon_access import abandon_access

    found = deployed(context, lambda actor, app: abandon_access(actor, app, grant, reason))
    show(found, as_json, lambda: show_receipt(console, found))


@cli.command(rich_help_panel=PANEL)
def alarms(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    past: Annotated[bool, typer.Option("--all", help="Include cleared ones.")] = False,
    clear: Annotated[
        tuple[str, str] | None, typer.Option("--clear", metavar="KIND SUBJECT", help="Clear an alarm by hand.")
    ] = None,
    reason: Reason = None,
    exit_code: SignalsAttention = False,
    as_json: Json = False,
) -> None:
    """List the alarms that need attention. An alarm is raised again while its cause lasts."""

    from entra_jit.cli.views.alarms import show_alarms
    from entra_jit.operations.clear_alarm import clear_alarm
    from entra_jit.operations.list_alarms import list_alarms

    async def look(actor: Actor, app: App) -> list[Alarm]:
        if clear is not None:
            if not reason:
                raise BadInputError("--clear needs --reason")
            return [await clear_alarm(actor, app, *clear, reason)]
        return await list_alarms(actor, app, tenant=tenant, standing_only=not past)

    found = deployed(context, look)
    show(found, as_json, lambda: show_alarms(console, found))
    if exit_code and any(alarm.cleared_at is None for alarm in found):
        raise typer.Exit(ExitCode.ATTENTION)


@cli.command(rich_help_panel=PANEL)
def reconcile(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
    as_json: Json = False,
) -> None:
    """Close every managed account that is open without a live grant. Needs no Temporal."""
    from entra_jit.cli.views.reconciliation import show_reports
    from entra_jit.operations.reconcile import reconcile as reconcile_now

    reports = deployed(context, lambda actor, app: reconcile_now(actor, app, tenant))
    show(reports, as_json, lambda: show_reports(console, reports))
    if any(report.failed or report.unreviewed for report in reports):
        raise typer.Exit(ExitCode.UNREACHABLE)


@cli.command(rich_help_panel=PANEL, name="erase-texts")
def erase(
    context: typer.Context,
    technician: Annotated[str, typer.Argument(metavar="TECHNICIAN", help="The technician's name.")],
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Erase for good what people wrote about TECHNICIAN. Receipts stay, without these texts."""
    from entra_jit.cli.views.formatting import say
    from entra_jit.operations.erase_texts import erase_texts

    with errors_told():
        if not yes:
            found = deployed(context, lambda actor, app: erase_texts(actor, app, technician, do=False))
            confirm(f"Erase {found} texts about {technician} for good?")
    erased = deployed(context, lambda actor, app: erase_texts(actor, app, technician, do=True))
    said = f"{erased} texts about {technician} are erased."
    show({"technician": technician, "erased": erased}, as_json, lambda: say(console, said))


@cli.command(rich_help_panel=PANEL)
def register(
    context: typer.Context,
    tenant: TenantName,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without it, the accounts are only shown.")] = False,
    as_json: Json = False,
) -> None:
    """Register accounts again that a restored ledger has forgotten. Check each one first."""
    from entra_jit.cli.views.reconciliation import show_unregistered
    from entra_jit.operations.register_accounts import register_accounts

    found = deployed(context, lambda actor, app: register_accounts(actor, app, tenant, do=yes))
    show(found, as_json, lambda: show_unregistered(console, found, done=yes))
