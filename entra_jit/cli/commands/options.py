"""What is typed behind a command, and how it is read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from typer.models import OptionInfo

from entra_jit.policy.durations import parse_age, parse_duration
from entra_jit.policy.failures import FailureClass, Kind
from models.errors import BadInputError, ExitCode, quoted


def duration(text: str) -> timedelta:
    """How long, as ``entra_jit.policy.durations`` reads them."""
    try:
        return parse_duration(text)
    except BadInputError as error:
        raise typer.BadParameter(str(error)) from None


def _age(text: str) -> timedelta:
    try:
        return parse_age(text)
    except BadInputError as error:
        raise typer.BadParameter(str(error)) from None


def _kind(text: str) -> Kind:
    try:
        return Kind.parse(text)
    except BadInputError as error:
        raise typer.BadParameter(str(error)) from None


def _grant_id(text: str) -> str:
    from pydantic import TypeAdapter, ValidationError

    from models.messages import RequestId

    try:
        return TypeAdapter[str](RequestId).validate_python(text.strip())
    except ValidationError:
        raise typer.BadParameter(f"{quoted(text)} is not the id of a grant; `grants` lists them") from None


def one_line(text: str) -> str:
    """What people write, as it is kept; that this is not what they wrote is said."""
    from models.plain_text import plain

    cleaned = plain(text)
    if cleaned.split() != [word for word in text.split(" ") if word]:
        typer.echo("Line breaks and invisible characters were taken out of what you wrote.", err=True)
    return cleaned


def why(help: str = "Why; shown in the receipt.") -> OptionInfo:
    """The option ``--reason``."""
    option: OptionInfo = typer.Option("--reason", parser=one_line, metavar="<str>", help=help)
    return option


GrantId = Annotated[str, typer.Argument(parser=_grant_id, metavar="GRANT", help="The grant's id.")]

ReplayedGrant = Annotated[
    str | None, typer.Argument(parser=_grant_id, metavar="GRANT", help="One grant; or select many by the options.")
]

TenantName = Annotated[str, typer.Argument(metavar="TENANT", help="The customer's name in the configuration.")]

OfTenant = Annotated[str | None, typer.Option("--tenant", help="Only this tenant's.")]

OfKind = Annotated[
    Kind | None,
    typer.Option("--type", parser=_kind, metavar="TYPE", help=f"Only this type or class: {', '.join(FailureClass)}."),
]

Since = Annotated[
    timedelta | None,
    typer.Option("--since", parser=_age, metavar="AGE", help="Failed within 90m, 24h (the default), 7d."),
]

Hours = Annotated[
    timedelta | None,
    typer.Option("--hours", parser=duration, metavar="HOURS", help="Hours (4, 1.5), 90m, 1h30 or PT90M."),
]

Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role", metavar="ROLE", help="Only this role or security group, by name or id; repeat it. Otherwise: all."
    ),
]

Reason = Annotated[str | None, why()]

Ticket = Annotated[
    str | None, typer.Option("--ticket", parser=one_line, metavar="<str>", help="The ticket it belongs to.")
]

SignalsAttention = Annotated[
    bool, typer.Option("--exit-code", help=f"Exit with {ExitCode.ATTENTION:d} if any is listed that needs attention.")
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

StateDir = Annotated[Path, typer.Option("--state-dir", envvar="ENTRA_JIT_STATE_DIR", help="The local stack's state.")]
