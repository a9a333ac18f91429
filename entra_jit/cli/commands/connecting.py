"""Connecting customers' tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from entra_jit.cli.commands.holding import tenant_commands
from entra_jit.cli.commands.options import Json, TenantName
from entra_jit.cli.commands.shell import confirm, console, deployed, show

if TYPE_CHECKING:
    from entra_jit.app import App
    from models.actor import Actor
    from models.checks import Examination
    from models.connections import BegunConnection, Disconnection, TenantConnection


@tenant_commands.command()
def connect(
    context: typer.Context,
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="A domain of the tenant, or its id.")],
    browser: Annotated[bool, typer.Option(help="Open the browser of this machine.")] = True,
    as_json: Json = False,
) -> None:
    """Connect the tenant of DOMAIN: an administrator of it consents to your own applications."""
    from entra_jit.cli.connecting import connect_in_browser, examine
    from entra_jit.cli.views.connection import show_connected
    from entra_jit.cli.views.formatting import moment, say

    aside = Console(stderr=True)

    def invite(address: str, begun: BegunConnection) -> None:
        say(
            aside,
            f"{domain} is the tenant {begun.tenant_id}. Consent as a Global Administrator of it, on this machine:",
        )
        say(aside, address)
        say(aside, f"The address works until {moment(begun.expires_at)}.")
        if browser:
            typer.launch(address)

    async def work(actor: Actor, app: App) -> tuple[TenantConnection, Examination | None]:
        made = await connect_in_browser(actor, app, domain, invite)
        return made, await examine(actor, app, made)

    found, examination = deployed(context, work)
    show(found, as_json, lambda: show_connected(console, found, examination))


@tenant_commands.command()
def connection(context: typer.Context, tenant: TenantName, as_json: Json = False) -> None:
    """Show who authorized your applications in TENANT, and whether this version needs more."""
    from entra_jit.cli.views.connection import show_connection
    from entra_jit.operations.show_connection import show_connection as find_connection

    found = deployed(context, lambda actor, app: find_connection(actor, app, tenant))
    show(found, as_json, lambda: show_connection(console, found))


@tenant_commands.command()
def disconnect(
    context: typer.Context,
    tenant: TenantName,
    reason: Annotated[str, typer.Option("--reason", help="Why; entered in the journal.")],
    yes: Annotated[bool, typer.Option("--yes", help="Delete our accounts there without asking.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Go on where Microsoft lets us in no more.")] = False,
    as_json: Json = False,
) -> None:
    """Disconnect TENANT, which is no longer in the configuration: prove all closed, and give up our rights there.

    With ENTRA_JIT_DELETE_ACCOUNTS our accounts are shown first and deleted.
    """
    from entra_jit.cli.views.connection import show_disconnection, show_disconnection_plan
    from entra_jit.operations.disconnect_tenant import DeletionNotAgreedError, disconnect_tenant

    async def work(actor: Actor, app: App) -> Disconnection:
        try:
            return await disconnect_tenant(actor, app, tenant, reason, yes=yes, forced=force)
        except DeletionNotAgreedError as refused:
            plan = refused.plan
            show(plan, as_json, lambda: show_disconnection_plan(Console(stderr=True), plan))
            if as_json:
                raise
            confirm("Delete them and disconnect?")
            return await disconnect_tenant(actor, app, tenant, reason, agreed=plan, forced=force)

    outcome = deployed(context, work)
    show(outcome, as_json, lambda: show_disconnection(console, outcome))
