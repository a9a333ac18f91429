"""What is typed behind a command, and how it is read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from entra_jit.policy.durations import parse_age, parse_duration
from entra_jit.policy.failures import FailureClass, Kind
from models.errors import BadInputError


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


GrantId = Annotated[str, typer.Argument(metavar="GRANT", help="The grant's id.")]

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

Reason = Annotated[str | None, typer.Option("--reason", help="Why; shown in the receipt.")]

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

StateDir = Annotated[Path, typer.Option("--state-dir", envvar="ENTRA_JIT_STATE_DIR", help="The local stack's state.")]
