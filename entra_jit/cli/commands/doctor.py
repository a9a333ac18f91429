"""The doctor: is a tenant set up for grants, and what can be put right?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from entra_jit.cli.commands.holding import tenant_commands
from entra_jit.cli.commands.options import Json, SignalsAttention, TenantName
from entra_jit.cli.commands.shell import confirm, console, deployed, errors_told, show
from models.errors import ExitCode
from models.states import GrantState

if TYPE_CHECKING:
    from entra_jit.app import App
    from models.actor import Actor
    from models.checks import Examination
    from models.messages import GrantStatus, SignInAttempt


@tenant_commands.command()
def doctor(
    context: typer.Context,
    tenants: Annotated[list[str] | None, typer.Argument(metavar="[TENANT]...", help="None: every tenant.")] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Show what can be repaired in TENANT, and ask.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Repair without asking.")] = False,
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write requests and answers to FILE; ids and names are folded.")
    ] = None,
    exit_code: SignalsAttention = False,
    as_json: Json = False,
) -> None:
    """Check whether TENANT is set up for grants: one line a check, and what to do."""
    from entra_jit.cli.views.doctor import show_examinations

    if fix:
        _repair(context, tenants or [], yes=yes, as_json=as_json)
        return
    found = _examine(context, tenants or [], record)
    show(found, as_json, lambda: show_examinations(console, found))
    if exit_code and any(examination.has_failed for examination in found):
        raise typer.Exit(ExitCode.ATTENTION)


@tenant_commands.command()
def canary(context: typer.Context, tenant: TenantName, as_json: Json = False) -> None:
    """Open an account of the doctor's in TENANT, sign in to it, close it, and prove it; say how that went."""
    from entra_jit.cli.views import doctor as doctor_page
    from entra_jit.cli.views.formatting import line
    from entra_jit.cli.views.timeline import Timeline
    from entra_jit.operations.await_canary import await_canary
    from entra_jit.operations.end_access import end_access
    from entra_jit.operations.run_canary import run_canary
    from models.messages.ids import LONGEST_SENTENCE

    async def run(actor: Actor, app: App) -> tuple[GrantStatus, SignInAttempt | None]:
        asked = await run_canary(actor, app, tenant)
        people = Console(stderr=True) if as_json else console
        line(people, f"[bold]{asked}[/]")
        timeline = Timeline(actor, app, asked, people)
        status = await timeline.follow(GrantState.OPEN, GrantState.PARKED)
        if status.state.is_final:
            return status, None
        attempt = await await_canary(actor, app, asked)
        await end_access(actor, app, asked, status.sentence[:LONGEST_SENTENCE])
        return await timeline.follow(), attempt

    status, attempt = deployed(context, run)
    show(status, as_json, lambda: doctor_page.show_canary(console, status, attempt))
    if status.opened_at is None:
        raise typer.Exit(ExitCode.REFUSED)
    if status.closed_at is None:
        raise typer.Exit(ExitCode.NOT_PROVEN)


def _examine(context: typer.Context, tenants: list[str], record: Path | None) -> list[Examination]:
    from entra_jit.graph.recording import Recorder
    from entra_jit.operations.examine_tenant import examine_tenant
    from entra_jit.policy.roles import assignable_roles

    async def work(actor: Actor, app: App) -> list[Examination]:
        if record is None:
            return await examine_tenant(actor, app, tenants)
        with record.open("x", encoding="utf-8") as file:
            app.graph.record(Recorder(file.write, assignable_roles()))
            return await examine_tenant(actor, app, tenants)

    return deployed(context, work)


def _repair(context: typer.Context, tenants: list[str], *, yes: bool, as_json: bool) -> None:
    from entra_jit.cli.views.doctor import show_repairs
    from entra_jit.operations.repair_tenant import repair_tenant

    if len(tenants) != 1:
        raise typer.BadParameter("--fix repairs one TENANT at a time")
    [tenant] = tenants
    planned = deployed(context, lambda actor, app: repair_tenant(actor, app, tenant))
    changes = [repair.change for repair in planned if not repair.by_hand]
    if not yes or not changes:
        show(planned, as_json, lambda: show_repairs(console, tenant, planned))
        if as_json or not changes:
            return
        with errors_told():
            confirm(f"Change this in {tenant}?")
    made = deployed(context, lambda actor, app: repair_tenant(actor, app, tenant, changes))
    show(made, as_json, lambda: show_repairs(console, tenant, made))
    if any(repair.refused for repair in made):
        raise typer.Exit(ExitCode.REFUSED)
