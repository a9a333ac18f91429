"""What technicians and administrators do: ask for access, look at it, end it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from entra_jit.cli.commands.options import GrantId, Hours, Json, Reason, Roles, TenantName, Ticket, duration, why
from entra_jit.cli.commands.shell import aside, cli, console, deployed, show
from models.errors import ExitCode
from models.states import GrantState

if TYPE_CHECKING:
    from entra_jit.app import App
    from entra_jit.ledger.credentials import Revealed
    from entra_jit.operations.end_for_certain import Send
    from models.actor import Actor
    from models.holds import Hold
    from models.messages import GrantStatus

PANEL = "Access"

UNTIL_OPEN = (GrantState.OPEN, GrantState.PARKED)
"""What `--wait-open` waits for: a parked grant opens only after a person has acted."""

Wait = Annotated[bool, typer.Option("--wait", help="Follow the grant to its end. Ctrl-C only stops watching.")]


@cli.command(rich_help_panel=PANEL)
def request(
    context: typer.Context,
    tenant: TenantName,
    technician: Annotated[str, typer.Argument(metavar="TECHNICIAN", help="Who gets the access, by name.")],
    reason: Annotated[str, why()],
    ticket: Ticket = None,
    hours: Hours = None,
    roles: Roles = None,
    wait: Wait = False,
    wait_open: Annotated[
        bool, typer.Option("--wait-open", help="Follow it until it is open; exit code 3 if it never is.")
    ] = False,
    key: Annotated[str | None, typer.Option("--key", help="Two requests with one key are one.")] = None,
    as_json: Json = False,
) -> None:
    """Ask for administrator access to TENANT for TECHNICIAN."""

    from entra_jit.cli.views import tables
    from entra_jit.cli.views.formatting import line
    from entra_jit.cli.views.timeline import Timeline
    from entra_jit.operations.request_access import await_decision, request_access

    async def ask(actor: Actor, app: App) -> GrantStatus:
        asked = await request_access(
            actor,
            app,
            tenant=tenant,
            technician=technician,
            reason=reason,
            ticket=ticket,
            duration=hours,
            access=roles or None,
            key=key,
        )
        if not wait and not wait_open:
            return await await_decision(actor, app, asked)
        people = Console(stderr=True) if as_json else console
        line(people, f"[bold]{asked}[/]")
        return await Timeline(actor, app, asked, people).follow(*(UNTIL_OPEN if wait_open else ()))

    if wait and wait_open:
        raise typer.BadParameter("pass either --wait or --wait-open")
    status = deployed(context, ask)
    show(status, as_json, lambda: tables.show_status(console, status))
    never_opened = wait_open and status.opened_at is None
    if never_opened or status.state in (GrantState.DENIED, GrantState.FAILED, GrantState.PARKED):
        raise typer.Exit(ExitCode.REFUSED)


@cli.command(rich_help_panel=PANEL)
def extend(
    context: typer.Context,
    grant: GrantId,
    hours: Annotated[timedelta, typer.Option("--hours", parser=duration, metavar="HOURS", help="How much longer.")],
    reason: Annotated[str, why()],
    as_json: Json = False,
) -> None:
    """Extend an open grant."""

    from entra_jit.cli.views import tables
    from entra_jit.cli.views.formatting import say
    from entra_jit.operations.extend_access import extend_access
    from entra_jit.operations.show_status import show_status

    async def work(actor: Actor, app: App) -> GrantStatus:
        await extend_access(actor, app, grant, hours, reason)
        return await show_status(actor, app, grant)

    extended = deployed(context, work)

    def print_text() -> None:
        say(console, extended.sentence)
        tables.show_replaced_pass(console, extended)

    show({"expires_at": extended.expires_at and extended.expires_at.isoformat()}, as_json, print_text)


@cli.command(rich_help_panel=PANEL)
def end(context: typer.Context, grant: GrantId, reason: Reason = None, as_json: Json = False) -> None:
    """End a grant now and close its account, with or without its workflow."""
    from entra_jit.operations.end_access import end_access

    _end(context, grant, reason, end_access, {"grant": grant, "ending": True}, as_json)


@cli.command(rich_help_panel=PANEL)
def cancel(context: typer.Context, grant: GrantId, reason: Reason = None, as_json: Json = False) -> None:
    """Withdraw a request, and close its account if it is open."""
    from entra_jit.operations.cancel_access import cancel_access

    _end(context, grant, reason, cancel_access, {"grant": grant, "cancelling": True}, as_json)


def _end(
    context: typer.Context, grant: str, reason: str | None, send: Send, shown: dict[str, object], as_json: bool
) -> None:
    from entra_jit.cli.views.formatting import say
    from entra_jit.operations.end_for_certain import EndedBy, end_for_certain

    ended = deployed(context, lambda actor, app: end_for_certain(actor, app, grant, reason, send=send))
    if ended.by is not EndedBy.WORKFLOW:
        shown |= {"closed": ended.by is EndedBy.EMERGENCY, "sentence": ended.sentence}
    show(shown, as_json, lambda: say(console, ended.sentence))
    if ended.by is EndedBy.EMERGENCY:
        raise typer.Exit(ExitCode.CLOSED_FROM_HERE)
    if ended.by is EndedBy.NOT_PROVEN:
        raise typer.Exit(ExitCode.NOT_PROVEN)


@cli.command(rich_help_panel=PANEL)
def status(context: typer.Context, grant: GrantId, wait: Wait = False, as_json: Json = False) -> None:
    """Show the state of a request."""

    from entra_jit.cli.views import tables
    from entra_jit.cli.views.timeline import Timeline
    from entra_jit.operations.show_status import show_status_and_tries

    async def look(actor: Actor, app: App) -> GrantStatus:
        if wait:
            return await Timeline(actor, app, grant, Console(stderr=True) if as_json else console).follow()
        return await show_status_and_tries(actor, app, grant)

    found = deployed(context, look)
    show(found, as_json, lambda: tables.show_status(console, found))


@cli.command(rich_help_panel=PANEL)
def grants(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    technician: Annotated[str | None, typer.Option(help="Only this technician's.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Only what is open, may open, or is not proven closed.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: Json = False,
) -> None:
    """List requests, the newest first."""

    from entra_jit.cli.views import tables
    from entra_jit.operations.list_grants import list_grants
    from entra_jit.operations.list_holds import list_holds
    from entra_jit.operations.list_open import list_open
    from models.selections import OpenGrants

    async def look(actor: Actor, app: App) -> tuple[list[GrantStatus], list[Hold]]:
        held = await list_holds(actor, app)
        if live:
            open_now = await list_open(actor, app, OpenGrants(tenant, technician), limit=limit)
            return [one.status for one in open_now], held
        return await list_grants(actor, app, tenant=tenant, technician=technician, limit=limit), held

    found, held = deployed(context, look)

    def print_text() -> None:
        tables.show_banner(console, held)
        tables.show_grants(console, found)

    show(found, as_json, print_text)


@cli.command(rich_help_panel=PANEL)
def receipt(context: typer.Context, grant: GrantId, as_json: Json = False) -> None:
    """Show the evidence of a grant that is over."""
    from entra_jit.cli.views import receipt as receipt_page
    from entra_jit.operations.show_receipt import show_receipt

    found = deployed(context, lambda actor, app: show_receipt(actor, app, grant))
    show(found, as_json, lambda: receipt_page.show_receipt(console, found))


@cli.command(rich_help_panel=PANEL)
def reveal(
    context: typer.Context,
    grant: GrantId,
    technician: Annotated[str, typer.Option("--technician", help="The technician's name.")],
    renew: Annotated[bool, typer.Option("--renew", help="Make a new one first; the one before stops working.")] = False,
    as_json: Json = False,
) -> None:
    """Show the technician the credential of their open grant, once."""

    from entra_jit.cli.views.formatting import moment
    from entra_jit.operations.renew_credential import renew_credential
    from entra_jit.operations.reveal_credential import reveal_credential

    async def look(actor: Actor, app: App) -> tuple[str, Revealed]:
        if renew:
            await renew_credential(actor, app, grant)
        return await reveal_credential(actor, app, grant, technician)

    account, revealed = deployed(context, look)
    shown = {
        "account": account,
        "kind": revealed.kind.value,
        "credential": revealed.secret.get_secret_value(),
        "usable_until": revealed.usable_until.isoformat() if revealed.usable_until else None,
        "usable_once": revealed.usable_once,
        "note": revealed.note,
    }

    def print_text() -> None:
        console.print(f"{account}\n{shown['credential']}", markup=False, highlight=False, soft_wrap=True)
        until = f", usable until {moment(revealed.usable_until)}" if revealed.usable_until else ""
        once = ", usable once" if revealed.usable_once else ""
        kind = revealed.kind.value.replace("_", " ")
        aside(f"A {kind}{until}{once}; it is not shown again. {revealed.note or ''}".rstrip())

    show(shown, as_json, print_text)
