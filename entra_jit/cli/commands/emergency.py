"""Emergency accounts: what stands, whether it works, and how a person gets in."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from entra_jit.cli.commands.options import Json, OfTenant, SignalsAttention, TenantName, why
from entra_jit.cli.commands.shell import aside, cli, confirm, console, deployed, errors_told, leave, settings_of, show
from models.errors import BadInputError, ExitCode

if TYPE_CHECKING:
    from entra_jit.app import App
    from entra_jit.emergency_kit import OneTimeKey, Passkey
    from models.actor import Actor
    from models.messages import SealedPasskeys

PANEL = "Emergency accounts"
PROGRAM = "emergency_kit.py"

emergency_commands = typer.Typer(help="Emergency accounts of tenants: list, try, rotate, use.", no_args_is_help=True)

cli.add_typer(emergency_commands, name="emergency", rich_help_panel=PANEL)

Number = Annotated[int | None, typer.Option("--account", min=1, max=2, help="Which of the tenant's; otherwise all.")]

OneNumber = Annotated[int, typer.Option("--account", min=1, max=2, help="Which of the tenant's two.")]

Kit = Annotated[Path, typer.Argument(metavar="FILE", help="The sealed file.")]

Browser = Annotated[str | None, typer.Option("--browser", help="Path of a Chromium, Chrome or Edge.")]

Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


@emergency_commands.command(name="list")
def list_accounts(
    context: typer.Context, tenant: OfTenant = None, exit_code: SignalsAttention = False, as_json: Json = False
) -> None:
    """List the emergency accounts: last sign-in, next rotation, who has seen the credential."""
    from entra_jit.cli.views.emergency import show_accounts
    from entra_jit.operations.list_emergency_accounts import list_emergency_accounts

    found = deployed(context, lambda actor, app: list_emergency_accounts(actor, app, tenant))
    show(found, as_json, lambda: show_accounts(console, found))
    if exit_code and any(one.needs_attention for one in found):
        raise typer.Exit(ExitCode.ATTENTION)


@emergency_commands.command()
def rotate(
    context: typer.Context, tenant: TenantName, account: Number = None, yes: Yes = False, as_json: Json = False
) -> None:
    """Give the accounts of TENANT new credentials now. Offline kits with the old ones are worthless then."""
    from entra_jit.cli.views.emergency import show_begun
    from entra_jit.operations.rotate_emergency_account import rotate_emergency_account

    with errors_told():
        if not yes:
            confirm(f"Rotate in {tenant}? Kits with the old credentials open nothing afterwards.")
    begun = deployed(context, lambda actor, app: rotate_emergency_account(actor, app, tenant, account))
    show(begun, as_json, lambda: show_begun(console, begun, "The rotation"))


@emergency_commands.command()
def drill(context: typer.Context, tenant: TenantName, account: Number = None, as_json: Json = False) -> None:
    """Try whether the accounts of TENANT can sign in, with the credentials that are sealed."""
    from entra_jit.cli.views.emergency import show_begun
    from entra_jit.operations.drill_emergency_account import drill_emergency_account

    begun = deployed(context, lambda actor, app: drill_emergency_account(actor, app, tenant, account))
    show(begun, as_json, lambda: show_begun(console, begun, "The drill"))


@emergency_commands.command()
def forget(context: typer.Context, tenant: TenantName, account: OneNumber, as_json: Json = False) -> None:
    """Forget an account that was deleted in TENANT. Where the configuration wants it, another one is made."""
    from entra_jit.operations.forget_emergency_account import forget_emergency_account

    gone = deployed(context, lambda actor, app: forget_emergency_account(actor, app, tenant, account))
    show(gone, as_json, lambda: aside(f"The {gone.words} is forgotten."))


@emergency_commands.command()
def reveal(
    context: typer.Context,
    tenant: TenantName,
    reason: Annotated[str, why("Why; entered in the journal.")],
    file: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the sealed file is written.")],
    account: OneNumber = 1,
) -> None:
    """Write the credential of an account of TENANT to a sealed file, usable for an hour. It is alarmed."""
    [passphrase] = _new_passphrases(file)
    passkeys, _ = _revealed(context, tenant, account, reason)
    _write_kit(file, passkeys, [passphrase])
    aside(f"{file} opens for an hour: python {PROGRAM} {file.name}. Then the account is rotated.")


@cli.command(rich_help_panel=PANEL)
def browse(
    context: typer.Context,
    tenant: TenantName,
    reason: Annotated[str, why("Why; entered in the journal.")],
    account: OneNumber = 1,
    url: Annotated[str, typer.Option("--url", help="What to open.")] = "https://entra.microsoft.com/",
    browser: Browser = None,
) -> None:
    """Open a browser that signs in as an emergency account of TENANT. It is a reveal, so a rotation follows."""
    from entra_jit.accounts.emergency.signing_in import browser_arguments
    from entra_jit.emergency_kit import KitError
    from entra_jit.emergency_kit import browse as open_browser

    settings = settings_of(context)
    [passkey], usable_until = _revealed(context, tenant, account, reason)
    aside(f"Signing in as {passkey.account_name}, until {usable_until}. Close the window to end.")
    try:
        open_browser(passkey, url, program=browser or settings.browser, arguments=browser_arguments(settings))
    except KitError as error:
        leave(str(error), ExitCode.FAILED)


@emergency_commands.command()
def kit(
    context: typer.Context,
    file: Kit,
    reason: Annotated[str, why("Why; entered in the journal.")],
    tenants: Annotated[list[str] | None, typer.Argument(metavar="TENANT", help="None: every tenant.")] = None,
    holders: Annotated[
        int, typer.Option("--holders", min=1, max=8, help="How many passphrases are asked for; each opens the kit.")
    ] = 1,
) -> None:
    """Write an offline kit: a file that a passphrase opens, and the program that signs in with it."""
    from entra_jit.emergency_kit import OneTimeKey
    from entra_jit.operations.make_emergency_kit import make_emergency_kit

    passphrases = _new_passphrases(file, holders)
    key = OneTimeKey()
    sealed = deployed(context, lambda actor, app: make_emergency_kit(actor, app, tenants or [], reason, key.public))
    passkeys = _opened(key, sealed)
    _write_kit(file, passkeys, passphrases)
    aside(f"{file} holds {len(passkeys)} credentials. Keep it with {PROGRAM}, and the passphrase elsewhere.")


@emergency_commands.command()
def verify(context: typer.Context, file: Kit, exit_code: SignalsAttention = False, as_json: Json = False) -> None:
    """Say whether a kit still opens what it was made for. It needs no passphrase."""
    from entra_jit.cli.views.emergency import show_kit
    from entra_jit.cli.views.formatting import moment
    from entra_jit.emergency_kit import KitError, read_header
    from entra_jit.operations.check_emergency_kit import check_emergency_kit

    with errors_told():
        try:
            made_at, credentials = read_header(file.read_bytes())
        except KitError as error:
            raise BadInputError(str(error)) from None
    found = deployed(context, lambda actor, app: check_emergency_kit(actor, app, credentials))
    show(found, as_json, lambda: show_kit(console, found, moment(made_at)))
    if exit_code and not all(one.is_current for one in found):
        raise typer.Exit(ExitCode.ATTENTION)


def _revealed(context: typer.Context, tenant: str, number: int, reason: str) -> tuple[list[Passkey], str]:
    """The passkey, opened here alone, and until when it may be used."""
    from entra_jit.cli.views.formatting import moment
    from entra_jit.emergency_kit import OneTimeKey
    from entra_jit.operations.reveal_emergency_account import reveal_emergency_account
    from models.messages import RevealRequest

    key = OneTimeKey()
    request = RevealRequest(tenant=tenant, number=number, reason=reason, reader=key.public)

    async def ask(actor: Actor, app: App) -> SealedPasskeys:
        return await reveal_emergency_account(actor, app, request)

    sealed = deployed(context, ask)
    return _opened(key, sealed), moment(sealed.usable_until)


def _opened(key: OneTimeKey, sealed: SealedPasskeys) -> list[Passkey]:
    from entra_jit.emergency_kit import KitError

    try:
        return list(key.open(sealed.sealed, sealed.about))
    except KitError as error:
        leave(str(error), ExitCode.FAILED)


def _new_passphrases(file: Path, holders: int = 1) -> list[str]:
    """One a holder for a file that is not there yet, each typed twice, before anything is revealed."""
    with errors_told():
        if file.exists():
            raise BadInputError(f"{file} exists already.")
        whose = ["Passphrase"] if holders == 1 else [f"Passphrase of holder {one}" for one in range(1, holders + 1)]
        found = [_new_passphrase(question) for question in whose]
        if len(set(found)) < holders:
            raise BadInputError("Each holder of a kit has a passphrase of their own.")
    return found


def _new_passphrase(question: str) -> str:
    from entra_jit.emergency_kit import SHORTEST_PASSPHRASE, read_passphrase

    passphrase = read_passphrase(f"{question}, at least {SHORTEST_PASSPHRASE} characters: ")
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise BadInputError(f"A passphrase has at least {SHORTEST_PASSPHRASE} characters.")
    if sys.stdin.isatty() and read_passphrase("Once more: ") != passphrase:
        raise BadInputError("The two passphrases are not the same.")
    return passphrase


def _write_kit(file: Path, passkeys: list[Passkey], passphrases: list[str]) -> None:
    """The sealed file, for its owner alone, and the program that opens it beside it."""
    from datetime import UTC, datetime

    from entra_jit import emergency_kit

    content = emergency_kit.seal_kit(emergency_kit.Kit(datetime.now(UTC), tuple(passkeys)), passphrases)
    with errors_told():
        file.touch(mode=0o600, exist_ok=False)
        file.write_bytes(content)
        shutil.copyfile(emergency_kit.__file__, file.with_name(PROGRAM))
