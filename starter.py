"""The command line: a thin shell over ``operations``. ``python starter.py --help``."""

from __future__ import annotations

import asyncio
import getpass
import json
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from pydantic import BaseModel
from rich.console import Console

from activities.workplace import workplace_of
from ledger import migrations
from ledger.database import DatabaseUrlError, LedgerUnavailableError
from local_stack import DEFAULT_STATE_DIR, LocalStack, StackError, running_stack
from logs import configure_logs
from models.alarms import Alarm
from models.holds import Hold, StopReport
from models.messages import GrantState, GrantStatus, TenantReport
from operations.abandon_access import abandon_access
from operations.apply_configuration import apply_configuration
from operations.close_all import close_all
from operations.deployment import Deployment, open_deployment
from operations.end_access import cancel_access, end_access
from operations.errors import (
    BadInputError,
    NotFoundError,
    RefusedError,
    UnreachableError,
)
from operations.extend_access import extend_access
from operations.lift_stop import lift_stop
from operations.list_alarms import clear_alarm, list_alarms
from operations.list_failures import Failures, Selection, list_failures
from operations.list_grants import list_grants
from operations.list_holds import list_holds
from operations.pause_tenant import pause_tenant, resume_tenant
from operations.reconcile import reconcile as reconcile_now
from operations.register_accounts import Unregistered, register_accounts
from operations.rehearse_upgrade import rehearse_upgrade
from operations.replay_provisioning import Replayed, replay_each, replay_provisioning
from operations.request_access import await_decision, request_access
from operations.reveal_credential import reveal_credential
from operations.show_receipt import show_receipt
from operations.show_status import show_status
from policy.durations import DurationError, parse_age, parse_duration
from policy.failures import FailureClass, Kind
from settings import Settings, SettingsError, adopt_environment, load_settings, names_a_database
from terminal import alarms as alarm_list
from terminal import demo as demonstration
from terminal import failures as failures_page
from terminal import receipt as receipt_page
from terminal import reconciliation, rehearsal, stopping, tables
from terminal.timeline import Timeline
from terminal.words import moment
from trust.keyring import KeyringError

Result = TypeVar("Result")

app = typer.Typer(
    help="Just-in-time administrator access to customers' Entra tenants, closed on time and proven.",
    epilog="Exit codes: 0 done, 2 bad usage or input, 3 refused, 4 not found, 5 a service cannot be reached; "
    "1 when the demonstration fails.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
tenant_commands = typer.Typer(help="A tenant in trouble.", no_args_is_help=True)
app.add_typer(tenant_commands, name="tenant")
console = Console()

EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (BadInputError, 2),
    (SettingsError, 2),
    (KeyringError, 2),
    (DatabaseUrlError, 2),
    (DurationError, 2),
    (RefusedError, 3),
    (NotFoundError, 4),
    (UnreachableError, 5),
    (LedgerUnavailableError, 5),
    (StackError, 5),
    (demonstration.DemonstrationFailedError, 1),
)


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except DurationError as error:
        raise typer.BadParameter(str(error)) from None


def _age(text: str) -> timedelta:
    try:
        return parse_age(text)
    except DurationError as error:
        raise typer.BadParameter(str(error)) from None


def _kind(text: str) -> Kind:
    try:
        return Kind.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


GrantId = Annotated[str, typer.Argument(metavar="GRANT", help="The id that asking for it gave.")]
TenantName = Annotated[str, typer.Argument(metavar="TENANT", help="The customer, by its name in the configuration.")]
OfTenant = Annotated[str | None, typer.Option("--tenant", help="Only this tenant's.")]
OfKind = Annotated[
    Kind | None,
    typer.Option("--type", parser=_kind, metavar="TYPE", help=f"Only this type or class: {', '.join(FailureClass)}."),
]
Since = Annotated[
    timedelta | None,
    typer.Option("--since", parser=_age, metavar="AGE", help="Failed so long ago at most: 90m, 24h (the default), 7d."),
]
Hours = Annotated[
    timedelta | None,
    typer.Option("--hours", parser=_duration, metavar="HOURS", help="Hours (4, 1.5) or ISO 8601 (PT90M)."),
]
Reason = Annotated[str | None, typer.Option("--reason", help="Why; it stands in the receipt.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
StateDir = Annotated[Path, typer.Option("--state-dir", envvar="ENTRA_JIT_STATE_DIR", help="The local stack's state.")]


@app.callback()
def main(context: typer.Context, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """Without settings in the environment, commands go to the stack that `up` runs on this machine."""
    configure_logs("console", logging.WARNING)
    context.obj = state_dir


@app.command()
def up(context: typer.Context) -> None:
    """Run the whole stack on this machine until Ctrl-C: PostgreSQL, Temporal, the simulated tenants, a worker."""
    _run(lambda: demonstration.keep_up(console, LocalStack(context.obj)))


@app.command()
def demo() -> None:
    """Watch one technician get access to a customer's tenant and lose it again, in a stack of its own."""
    _run(lambda: demonstration.demonstrate(console))


@app.command()
def migrate(context: typer.Context) -> None:
    """Bring the ledger's schema up to date. Idempotent."""
    settings = _settings(context)
    with _errors_told():
        migrations.upgrade(settings.database_url)


@app.command()
def apply(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Tenants, technicians, groups and role mappings, YAML.")],
    as_json: Json = False,
) -> None:
    """Apply a configuration file, all or nothing. The file is the whole configuration."""
    configuration = _with(context, lambda deployment: apply_configuration(deployment, file))
    counts = {name: len(getattr(configuration, name)) for name in type(configuration).model_fields}
    _print(counts, as_json, lambda: console.print("Applied: " + ", ".join(f"{n} {k}" for k, n in counts.items()) + "."))


@app.command()
def request(
    context: typer.Context,
    tenant: TenantName,
    technician: Annotated[str, typer.Argument(metavar="TECHNICIAN", help="Who will have the access, by name.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the receipt.")],
    ticket: Annotated[str | None, typer.Option("--ticket", help="The ticket it belongs to.")] = None,
    hours: Hours = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end. Ctrl-C stops watching only.")] = False,
    request_id: Annotated[str | None, typer.Option("--request-id", help="Asking twice with one id asks once.")] = None,
    as_json: Json = False,
) -> None:
    """Ask for administrator access to TENANT for TECHNICIAN."""

    async def ask(deployment: Deployment) -> GrantStatus:
        asked = await request_access(
            deployment,
            _actor(),
            tenant=tenant,
            technician=technician,
            reason=reason,
            ticket=ticket,
            duration=hours,
            request_id=request_id,
        )
        if wait:
            return await Timeline(deployment, asked, Console(stderr=True) if as_json else console).follow()
        return await await_decision(deployment, asked)

    status = _with(context, ask)
    _print(status, as_json, lambda: tables.show_status(console, status))
    if status.state in (GrantState.DENIED, GrantState.FAILED, GrantState.PARKED):
        raise typer.Exit(3)


@app.command()
def extend(
    context: typer.Context,
    grant: GrantId,
    hours: Annotated[timedelta, typer.Option("--hours", parser=_duration, metavar="HOURS", help="How much longer.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the receipt.")],
    as_json: Json = False,
) -> None:
    """Let an open grant last longer."""
    until = _with(context, lambda deployment: extend_access(deployment, _actor(), grant, hours, reason))
    _print({"expires_at": until.isoformat()}, as_json, lambda: console.print(f"Open until {until:%Y-%m-%d %H:%M:%SZ}."))


@app.command()
def end(context: typer.Context, grant: GrantId, reason: Reason = None, as_json: Json = False) -> None:
    """End a grant now and close its account."""
    _with(context, lambda deployment: end_access(deployment, _actor(), grant, reason))
    _print({"grant": grant, "ending": True}, as_json, lambda: console.print(f"Ending {grant}."))


@app.command()
def cancel(context: typer.Context, grant: GrantId, reason: Reason = None, as_json: Json = False) -> None:
    """Cancel a request: withdraw it if it is not open yet, close its account if it is."""
    _with(context, lambda deployment: cancel_access(deployment, _actor(), grant, reason))
    _print({"grant": grant, "cancelling": True}, as_json, lambda: console.print(f"Cancelling {grant}."))


@app.command()
def failures(
    context: typer.Context, tenant: OfTenant = None, kind: OfKind = None, since: Since = None, as_json: Json = False
) -> None:
    """List what needs an operator: parked, failed, waiting long for the next try, or closing with difficulty."""
    selection = Selection(tenant, kind, since or Selection.since)
    listed = _with(context, lambda deployment: list_failures(deployment, selection))
    _print(listed.found, as_json, lambda: failures_page.show_failures(console, listed.found))
    if listed.unseen:
        _leave(listed.unseen, 5)


@app.command()
def replay(
    context: typer.Context,
    grant: Annotated[str | None, typer.Argument(metavar="GRANT", help="One; or many, by the options.")] = None,
    tenant: OfTenant = None,
    kind: OfKind = None,
    since: Since = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this a selection is only shown.")] = False,
    as_json: Json = False,
) -> None:
    """Take up again what failed: retry what is parked, try now what waits, ask anew in place of what is over."""
    selected = any(given is not None for given in (tenant, kind, since))
    if selected is (grant is not None):
        raise typer.BadParameter("say either one GRANT, or which failures: --tenant, --type, --since")
    if grant is not None:
        outcome = _with(context, lambda deployment: replay_provisioning(deployment, _actor(), grant))
        _print(outcome, as_json, lambda: failures_page.show_outcomes(console, [outcome]))
        if not outcome.goes_on:
            raise typer.Exit(3)
    else:
        _replay_selection(context, Selection(tenant, kind, since or Selection.since), yes=yes, as_json=as_json)


def _replay_selection(context: typer.Context, selection: Selection, *, yes: bool, as_json: bool) -> None:
    async def work(deployment: Deployment) -> tuple[Failures, list[Replayed]]:
        listed = await list_failures(deployment, selection)
        ids = [failure.request_id for failure in listed.found if failure.remedy and yes]
        outcomes = replay_each(deployment, _actor(), ids)
        return listed, await failures_page.follow(Console(stderr=True), outcomes, len(ids))

    listed, outcomes = _with(context, work)

    def say() -> None:
        if yes:
            failures_page.show_outcomes(console, outcomes)
        else:
            failures_page.show_plan(console, listed.found)

    _print(outcomes if yes else listed.found, as_json, say)
    if listed.unseen:
        _leave(listed.unseen, 5)
    if not all(outcome.goes_on for outcome in outcomes):
        raise typer.Exit(3)


@app.command()
def status(context: typer.Context, grant: GrantId, as_json: Json = False) -> None:
    """Where a request stands."""
    found = _with(context, lambda deployment: show_status(deployment, grant))
    _print(found, as_json, lambda: tables.show_status(console, found))


@app.command()
def grants(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    technician: Annotated[str | None, typer.Option(help="Only this technician's.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Only those that are not over.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: Json = False,
) -> None:
    """List requests, the newest first."""

    async def look(deployment: Deployment) -> tuple[list[GrantStatus], list[Hold]]:
        return (
            await list_grants(deployment, tenant=tenant, technician=technician, live_only=live, limit=limit),
            await list_holds(deployment),
        )

    found, held = _with(context, look)

    def say() -> None:
        tables.show_banner(console, held)
        tables.show_grants(console, found)

    _print(found, as_json, say)


@app.command()
def receipt(context: typer.Context, grant: GrantId, as_json: Json = False) -> None:
    """Show the evidence of a grant that is over."""
    found = _with(context, lambda deployment: show_receipt(deployment, grant))
    _print(found, as_json, lambda: receipt_page.show_receipt(console, found))


@app.command()
def abandon(
    context: typer.Context,
    grant: GrantId,
    reason: Annotated[str, typer.Option("--reason", help="Why it is given up; it stands in the receipt.")],
    as_json: Json = False,
) -> None:
    """Give up a closing that cannot be proven. It stays alarmed, and the reconciler goes on trying."""
    found = _with(context, lambda deployment: abandon_access(deployment, _actor(), grant, reason))
    _print(found, as_json, lambda: receipt_page.show_receipt(console, found))


@app.command()
def alarms(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    past: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    clear: Annotated[
        tuple[str, str] | None, typer.Option("--clear", metavar="KIND SUBJECT", help="Give the all-clear by hand.")
    ] = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """What somebody must look at. An alarm whose cause goes on is raised again."""

    async def look(deployment: Deployment) -> list[Alarm]:
        if clear is not None:
            if not reason:
                raise BadInputError("--clear needs a --reason")
            return [await clear_alarm(deployment, _actor(), *clear, reason)]
        return await list_alarms(deployment, tenant=tenant, standing_only=not past)

    found = _with(context, look)
    _print(found, as_json, lambda: alarm_list.show_alarms(console, found))


@app.command()
def reconcile(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
    as_json: Json = False,
) -> None:
    """Close every managed account that is open without a live grant. Needs no Temporal."""
    settings = _settings(context)

    async def by_itself() -> list[TenantReport]:
        async with workplace_of(settings) as workplace:
            return await reconcile_now(workplace, tenant)

    reports = _run(by_itself)
    _print(reports, as_json, lambda: reconciliation.show_reports(console, reports))
    if any(report.failed for report in reports):
        raise typer.Exit(5)


@app.command()
def register(
    context: typer.Context,
    tenant: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this they are only shown.")] = False,
    as_json: Json = False,
) -> None:
    """Enter accounts again that a lost ledger has forgotten. Look at each first: it counts as ours from then on."""
    settings = _settings(context)

    async def by_tags() -> list[Unregistered]:
        async with workplace_of(settings) as workplace:
            return await register_accounts(workplace, tenant, do=yes)

    found = _run(by_tags)
    _print(found, as_json, lambda: reconciliation.show_unregistered(console, found, done=yes))


@app.command()
def rehearse(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many, the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Replay every open grant with this checkout's code, before it is deployed. Changes nothing."""
    with rehearsal.progress(Console(stderr=True)) as told:
        found = _with(context, lambda deployment: rehearse_upgrade(deployment, limit=limit, told=told))
    _print(found, as_json, lambda: rehearsal.show_rehearsal(console, found))
    if found.breaks:
        raise typer.Exit(3)


@app.command(name="holds")
def show_holds(context: typer.Context, as_json: Json = False) -> None:
    """List the pauses and stops in force."""
    found = _with(context, list_holds)
    _print(found, as_json, lambda: tables.show_holds(console, found))


@app.command(name="close-all")
def stop_everything(
    context: typer.Context,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the receipts and in every refusal.")],
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    technician: Annotated[str | None, typer.Option(help="Only this technician's.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before everything is closed.")] = False,
    as_json: Json = False,
) -> None:
    """Emergency stop: close every open grant now, and grant nothing until `lift-stop`. Needs no Temporal."""
    settings = _settings(context)
    with _errors_told():
        if tenant is None and technician is None and not yes:
            _confirm("This closes every open grant of this deployment. Go on?")

    async def by_itself() -> StopReport:
        async with open_deployment(settings) as deployment, workplace_of(settings) as workplace:
            with stopping.Count(Console(stderr=True) if as_json else console) as count:
                return await close_all(
                    deployment, workplace, _actor(), reason=reason, tenant=tenant, technician=technician, tell=count
                )

    report = _run(by_itself)
    _print(report, as_json, lambda: stopping.show_report(console, report))
    if not report.is_proven:
        raise typer.Exit(5)


@app.command(name="lift-stop")
def lift(
    context: typer.Context,
    tenant: Annotated[str | None, typer.Option(help="The stop of this tenant.")] = None,
    technician: Annotated[str | None, typer.Option(help="The stop of this technician.")] = None,
    as_json: Json = False,
) -> None:
    """Lift the emergency stop of everybody, of a tenant or of a technician. Opens nothing: access is asked for anew."""
    lifted = _with(context, lambda deployment: lift_stop(deployment, _actor(), tenant=tenant, technician=technician))
    said = "The stop is lifted." if lifted else "No stop of this scope is in force; see `holds`."
    _print(
        {"tenant": tenant, "technician": technician, "lifted": lifted},
        as_json,
        lambda: console.print(said, highlight=False),
    )


@tenant_commands.command()
def pause(
    context: typer.Context,
    tenant: TenantName,
    reason: Annotated[str, typer.Option("--reason", help="Why; whoever waits reads it.")],
    as_json: Json = False,
) -> None:
    """Hold provisioning in TENANT: nothing is opened or extended there until it is resumed. Closing goes on."""
    held = _with(context, lambda deployment: pause_tenant(deployment, _actor(), tenant, reason))
    _print(held, as_json, lambda: tables.show_banner(console, [held]))


@tenant_commands.command()
def resume(context: typer.Context, tenant: TenantName, as_json: Json = False) -> None:
    """Let provisioning in TENANT go on."""
    lifted = _with(context, lambda deployment: resume_tenant(deployment, _actor(), tenant))
    said = f"Provisioning for {tenant} goes on." if lifted else f"{tenant} was not paused."
    _print({"tenant": tenant, "resumed": lifted}, as_json, lambda: console.print(said, highlight=False))


@app.command()
def reveal(
    context: typer.Context,
    grant: GrantId,
    technician: Annotated[str, typer.Option("--technician", help="Whose grant it is.")],
    as_json: Json = False,
) -> None:
    """Show the technician the credential of their open grant, once."""
    account, revealed = _with(context, lambda deployment: reveal_credential(deployment, technician, grant))
    shown = {
        "account": account,
        "kind": revealed.kind.value,
        "credential": revealed.secret.get_secret_value(),
        "usable_until": revealed.usable_until.isoformat() if revealed.usable_until else None,
    }

    def say() -> None:
        console.print(f"{account}\n{shown['credential']}", markup=False, highlight=False, soft_wrap=True)
        until = f", usable until {moment(revealed.usable_until)}" if revealed.usable_until else ""
        kind = revealed.kind.value.replace("_", " ")
        sentence = f"A {kind}{until}; it is not shown again."
        Console(stderr=True).print(sentence, style="dim", highlight=False, soft_wrap=True)

    _print(shown, as_json, say)


def _actor() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()} (command line)"


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise BadInputError("Nobody can be asked here: say --yes.")
    typer.confirm(question, abort=True)


def _settings(context: typer.Context) -> Settings:
    with _errors_told():
        if names_a_database():
            return load_settings()
        if stack := running_stack(context.obj):
            adopt_environment(stack.environment())
            return load_settings()
        raise SettingsError(
            f"No stack runs in {context.obj} (`make up` starts one), and DATABASE_URL names no deployment."
        )


def _with(context: typer.Context, work: Callable[[Deployment], Awaitable[Result]]) -> Result:
    settings = _settings(context)

    async def deployed() -> Result:
        async with open_deployment(settings) as deployment:
            return await work(deployment)

    return _run(deployed)


def _run(work: Callable[[], Awaitable[Result]]) -> Result:
    async def awaited() -> Result:
        return await work()

    with _errors_told():
        return asyncio.run(awaited())


class _errors_told:  # noqa: N801  # reads as a phrase after `with`
    """Every error that a person can do something about is one sentence on standard error, and its exit code."""

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyboardInterrupt):
            raise typer.Exit(130) from None
        for known, code in EXIT_CODES:
            if isinstance(error, known):
                _leave(str(error), code)


def _leave(sentence: str, code: int) -> NoReturn:
    sys.stderr.write(f"{sentence}\n")
    raise typer.Exit(code) from None


def _print(value: object, as_json: bool, otherwise: Callable[[], None]) -> None:
    if not as_json:
        otherwise()
    elif isinstance(value, BaseModel):
        sys.stdout.write(value.model_dump_json(indent=2) + "\n")
    elif isinstance(value, list):
        sys.stdout.write(json.dumps([item.model_dump(mode="json") for item in value], indent=2) + "\n")
    else:
        sys.stdout.write(json.dumps(value, indent=2) + "\n")


def _run_and_leave() -> NoReturn:
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        sys.stdout.flush()
        sys.stderr.flush()
        # Once Temporal's client has run, the interpreter's own exit can abort and replace the exit code by 134
        # (temporalio/sdk-python issue 300).
        os._exit(code)
    raise AssertionError("typer leaves through SystemExit")


if __name__ == "__main__":
    _run_and_leave()
