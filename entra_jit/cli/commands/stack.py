"""The deployment itself: run it, set it up, bring it to a new version."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console

from entra_jit.cli.commands.options import Json
from entra_jit.cli.commands.shell import (
    cli,
    confirm,
    console,
    deployed,
    errors_told,
    invocation,
    run,
    settings_of,
    show,
)
from models.errors import BadInputError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from entra_jit.app import App
    from models.actor import Actor
    from models.configuration_plan import ConfigurationPlan

PANEL = "The deployment"


@cli.command(rich_help_panel=PANEL)
def up(context: typer.Context) -> None:
    """Run the whole stack on this machine until Ctrl-C, with simulated tenants and the portal."""
    from entra_jit.cli.views import up as whole_stack
    from entra_jit.local_stack.stack import LocalStack

    run(lambda: whole_stack.keep_up(console, LocalStack(invocation(context).state_dir)))


@cli.command(rich_help_panel=PANEL)
def demo(
    verbose: Annotated[bool, typer.Option("--verbose", help="With request ids and the whole receipt.")] = False,
) -> None:
    """Watch four visits to simulated customers, in a stack of its own."""
    from entra_jit.cli.views import demo as demonstration

    run(lambda: demonstration.demonstrate(console, verbose=verbose))


@cli.command(rich_help_panel=PANEL)
def migrate(context: typer.Context) -> None:
    """Bring the ledger's schema up to date. Idempotent."""
    from entra_jit.ledger import schema

    settings = settings_of(context)
    with errors_told():
        schema.upgrade(settings.database_url)


@cli.command("portal-keys", rich_help_panel=PANEL)
def portal_keys_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Written anew, readable by you alone.")],
) -> None:
    """Derive the portal's keys from the deployment's, and write them to FILE."""
    from entra_jit.app import App
    from entra_jit.crypto.narrow_keyring import PortalKeyring
    from entra_jit.local_stack.addresses import write_whole

    settings = settings_of(context)
    with errors_told():
        keys = PortalKeyring.derived(App(settings).keyring)
        try:
            write_whole(file, f"{keys.get_secret_value()}\n")
        except (OSError, ValueError):  # the latter for a path without a name
            raise BadInputError(f"{str(file)!r} cannot be written; name a file in a folder of yours") from None


@cli.command("revoker-file", rich_help_panel=PANEL)
def revoker_file_command(
    context: typer.Context,
    client_id: Annotated[UUID, typer.Argument(metavar="CLIENT_ID", help="The revoker's own application.")],
    certificate_file: Annotated[
        Path, typer.Argument(metavar="CERTIFICATE_FILE", help="Where the revoker finds its key and certificate, PEM.")
    ],
) -> None:
    """Print the file that the revoker reads: every tenant, and what verifies marks. It holds no secret."""
    from entra_jit.operations.export_revoker_file import export_revoker_file

    def work(actor: Actor, app: App) -> Coroutine[None, None, str]:
        return export_revoker_file(actor, app, client_id=str(client_id), certificate_file=certificate_file)

    sys.stdout.write(deployed(context, work))


@cli.command(rich_help_panel=PANEL)
def apply(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Tenants, technicians, groups and role mappings, YAML.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove and end what the file no longer has without asking.")
    ] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove more than a tenth.")] = False,
    unproven: Annotated[
        bool, typer.Option("--unproven", help="Store new credentials without trying them in their tenants.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Apply a configuration file, all or nothing. The file is the whole configuration."""
    from entra_jit.cli.views import configuration_plan
    from entra_jit.operations.apply_configuration import apply_configuration
    from models.configuration_plan import NotAgreedError, PlanRefusedError

    aside = Console(stderr=True)

    async def work(actor: Actor, app: App) -> ConfigurationPlan:
        try:
            return await apply_configuration(actor, app, file, yes=yes, prune=prune, unproven=unproven)
        except PlanRefusedError as refused:
            plan = refused.plan
            show(plan, as_json, lambda: configuration_plan.show_plan(aside, plan))
            if as_json or not isinstance(refused, NotAgreedError):
                raise
            confirm("Apply it?")
            return await apply_configuration(actor, app, file, agreed=plan, prune=prune, unproven=unproven)

    plan = deployed(context, work)
    show(plan, as_json, lambda: configuration_plan.show_applied(console, plan))


@cli.command(rich_help_panel=PANEL)
def export(context: typer.Context) -> None:
    """Print the configuration that is in force, as a file that `apply` reads. Secrets are named, not shown."""
    from entra_jit.operations.export_configuration import export_configuration

    sys.stdout.write(deployed(context, export_configuration))


@cli.command("check-upgrade", rich_help_panel=PANEL)
def check_upgrade_command(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the newest N.")] = None,
    as_json: Json = False,
) -> None:
    """Replay every open grant with this checkout's code before you deploy it. Changes nothing."""
    from entra_jit.cli.views import upgrade_check
    from entra_jit.operations.check_upgrade import check_upgrade

    with upgrade_check.progress(Console(stderr=True)) as told:
        workflows = invocation(context).workflows()
        found = deployed(context, lambda actor, app: check_upgrade(actor, app, workflows, limit=limit, told=told))
    show(found, as_json, lambda: upgrade_check.show_upgrade_check(console, found))
    if found.breaks:
        raise typer.Exit(ExitCode.REFUSED)
