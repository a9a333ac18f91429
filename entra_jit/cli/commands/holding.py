"""Holding access back: pauses of a tenant, and the emergency stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from entra_jit.cli.commands.options import Json, TenantName, why
from entra_jit.cli.commands.shell import cli, confirm, console, deployed, errors_told, show
from models.errors import ExitCode

if TYPE_CHECKING:
    from entra_jit.app import App
    from models.actor import Actor
    from models.holds import StopReport

PANEL = "Holding back"


tenant_commands = typer.Typer(help="One tenant: connect it, examine it, hold it back.", no_args_is_help=True)

cli.add_typer(tenant_commands, name="tenant", rich_help_panel=PANEL)


@cli.command(rich_help_panel=PANEL, name="holds")
def show_holds(context: typer.Context, as_json: Json = False) -> None:
    """List the pauses and stops in force."""
    from entra_jit.cli.views import tables
    from entra_jit.operations.list_holds import list_holds

    found = deployed(context, list_holds)
    show(found, as_json, lambda: tables.show_holds(console, found))


@cli.command(rich_help_panel=PANEL, name="close-all")
def stop_everything(
    context: typer.Context,
    reason: Annotated[str, why("Why; shown in receipts and refusals.")],
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    technician: Annotated[str | None, typer.Option(help="Only this technician's.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Close everything without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Emergency stop: close every open grant now, and grant nothing until `lift-stop`. Needs no Temporal."""
    from entra_jit.cli.views import stopping
    from entra_jit.operations.close_all import close_all

    with errors_told():
        if tenant is None and technician is None and not yes:
            confirm("Close every open grant of this deployment?")

    async def stop(actor: Actor, app: App) -> StopReport:
        with stopping.Count(Console(stderr=True) if as_json else console) as count:
            return await close_all(actor, app, reason=reason, tenant=tenant, technician=technician, tell=count)

    report = deployed(context, stop)
    show(report, as_json, lambda: stopping.show_report(console, report))
    if not report.is_proven:
        raise typer.Exit(ExitCode.NOT_PROVEN)


@cli.command(rich_help_panel=PANEL, name="lift-stop")
def lift(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="The stop of this tenant.")] = None,
    technician: Annotated[str | None, typer.Option(help="The stop of this technician.")] = None,
    as_json: Json = False,
) -> None:
    """Lift the emergency stop, for all, a tenant or a technician. It opens nothing."""
    from entra_jit.cli.views.formatting import say
    from entra_jit.operations.lift_stop import lift_stop

    lifted = deployed(context, lambda actor, app: lift_stop(actor, app, tenant=tenant, technician=technician))
    said = "The stop is lifted." if lifted else "No such stop is in force; see `holds`."
    show({"tenant": tenant, "technician": technician, "lifted": lifted}, as_json, lambda: say(console, said))


@tenant_commands.command()
def pause(
    context: typer.Context,
    tenant: TenantName,
    reason: Annotated[str, why("Why; shown to those who wait.")],
    as_json: Json = False,
) -> None:
    """Pause TENANT: nothing is opened or extended there until it is resumed. Closing continues."""
    from entra_jit.cli.views import tables
    from entra_jit.operations.pause_tenant import pause_tenant

    held = deployed(context, lambda actor, app: pause_tenant(actor, app, tenant, reason))
    show(held, as_json, lambda: tables.show_banner(console, [held]))


@tenant_commands.command()
def resume(context: typer.Context, tenant: TenantName, as_json: Json = False) -> None:
    """Resume TENANT."""
    from entra_jit.cli.views.formatting import say
    from entra_jit.operations.resume_tenant import resume_tenant

    lifted = deployed(context, lambda actor, app: resume_tenant(actor, app, tenant))
    said = f"Provisioning in {tenant} is resumed." if lifted else f"{tenant} was not paused."
    show({"tenant": tenant, "resumed": lifted}, as_json, lambda: say(console, said))
