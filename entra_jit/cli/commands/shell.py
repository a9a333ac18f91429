"""What every command needs: the deployment, errors as one sentence with an exit code, text or JSON.

Modules of commands import what a command works with when it is called: ``--help`` loads none of it.
"""

from __future__ import annotations

import json
import logging
import sys
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer
from rich.console import Console
from typer.core import TyperGroup

from entra_jit.cli.commands.options import StateDir
from models.errors import BadInputError, EntraJitError, ExitCode, UnreachableError, quoted

if TYPE_CHECKING:
    from typer._click import Context  # its own copy of click, which has no public name

    from entra_jit.app import App
    from entra_jit.settings import Settings
    from models.actor import Actor

Result = TypeVar("Result")


class Commands(TyperGroup):
    """All commands. What is no text is refused before any of them sees it."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Bytes that are not UTF-8 come as lone surrogates, which neither Temporal nor PostgreSQL takes."""
        for argument in args:
            if "\0" in argument or any(unicodedata.category(one) == "Cs" for one in argument):
                raise typer.BadParameter(f"{quoted(argument)} is not text in UTF-8.")
        return super().parse_args(ctx, args)


cli = typer.Typer(
    cls=Commands,
    help="Just-in-time administrator access to customers' Entra tenants, closed on time and proven.",
    epilog=f"Exit codes: {'; '.join(f'{code} {code.meaning}' for code in ExitCode)}.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

console = Console()


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"entra-jit {version('entra-jit')}\n")
        raise typer.Exit


@dataclass(frozen=True)
class Invocation:
    """What the program and its global options say to every command."""

    state_dir: Path
    workflows: Callable[[], tuple[type, ...]]
    """Every workflow of this checkout. The program hands them down: nothing in this package imports workflows."""


@cli.callback()
def main(
    context: typer.Context,
    state_dir: StateDir = Path(".entra-jit"),
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Without settings in the environment, commands go to the stack that `up` runs on this machine."""
    from entra_jit.logs import configure_logs

    configure_logs("console", logging.WARNING)
    context.obj = Invocation(state_dir, context.obj or tuple)


def invocation(context: typer.Context) -> Invocation:
    """What was said before the command's name."""
    found: Invocation = context.obj
    return found


def confirm(question: str) -> None:
    """Ask, and leave where the answer is no. Raises ``BadInputError`` where there is no terminal."""
    if not sys.stdin.isatty():
        raise BadInputError("Not a terminal; pass --yes.")
    typer.confirm(question, abort=True)


def settings_of(context: typer.Context) -> Settings:
    """The settings of the deployment that the environment names, or of the stack that runs here."""
    from entra_jit.local_stack.addresses import running_stack
    from entra_jit.settings import adopt_environment, load_settings, names_a_database

    with errors_told():
        if names_a_database():
            return load_settings()
        state_dir = invocation(context).state_dir
        if stack := running_stack(state_dir):
            adopt_environment(stack.environment())
            return load_settings()
        raise UnreachableError(
            f"No stack is running in {state_dir} (`make up` starts one), and DATABASE_URL is not set."
        )


def deployed(context: typer.Context, work: Callable[[Actor, App], Awaitable[Result]]) -> Result:
    """What ``work`` gives, done by the operator who types, with the deployment."""
    from entra_jit.app import App
    from entra_jit.identity.operator import operator_here

    settings = settings_of(context)

    async def with_app() -> Result:
        async with App(settings) as app:
            return await work(operator_here(), app)

    return run(with_app)


def run(work: Callable[[], Awaitable[Result]]) -> Result:
    """What ``work`` gives; what it raises is told as a sentence."""

    import asyncio

    async def awaited() -> Result:
        return await work()

    with errors_told():
        return asyncio.run(awaited())


class errors_told:  # noqa: N801  # reads as a phrase after `with`
    """Every error of ours is told on standard error, without a traceback, and with its exit code."""

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyboardInterrupt):
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        if isinstance(error, EntraJitError):
            leave(str(error), error.exit_code)
        if isinstance(error, OSError) and error.filename:
            leave(f"{error.filename}: {error.strerror}", ExitCode.BAD_INPUT)
        if isinstance(error, Exception):
            self._temporals(error)

    @staticmethod
    def _temporals(error: Exception) -> None:
        from temporalio.service import RPCError

        if isinstance(error, RPCError):
            leave(f"Temporal refused: {error.message}", ExitCode.UNREACHABLE)


def leave(sentence: str, code: ExitCode) -> NoReturn:
    """Say why, and exit."""
    for said in sentence.split("\n"):
        aside(said)
    raise typer.Exit(code) from None


def aside(sentence: str) -> None:
    """A sentence on standard error, where it is in no result's way; in a terminal wrapped between words."""
    from entra_jit.cli.views.formatting import say

    say(Console(stderr=True), sentence)


def show(value: object, as_json: bool, otherwise: Callable[[], None]) -> None:
    """Print ``value`` as JSON, or have it shown for people."""
    if not as_json:
        otherwise()
    else:
        from pydantic_core import to_jsonable_python

        # Escaped beyond ASCII: JSON itself takes characters raw that control a terminal.
        text = json.dumps(to_jsonable_python(value), indent=2).replace("\x7f", "\\u007f")
        sys.stdout.write(f"{text}\n")
