"""Whatever is typed, a command ends with a sentence and an exit code.

Bytes that are not UTF-8, a number of 5,000 digits or a NUL ended half of the commands in a traceback. It says nothing
that a person could act on, and may quote what was being worked on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

import starter  # noqa: F401  # has every command added
from entra_jit.cli.commands.shell import cli
from models.errors import ExitCode
from tests.stage import Scene

ODD = ("\udcff", "a\0b", "\x1b[8ma\nb\u202e", "", "9" * 20, "9" * 5000)
WITHOUT_END = frozenset({"up", "demo"})
NEEDED = {
    "tenant": "nowhere",
    "technician": "nowhere",
    "reason": "r",
    "hours": "1",
    "grant": "nowhere",
    "file": "no",
    "client_id": "11111111-1111-4111-8111-111111111111",
    "certificate_file": "no",
    "domain": "nowhere",
    "account": "1",
}
"""What the other parameters are given: nothing that would be done."""


def typed(command: Any, path: tuple[str, ...] = ()) -> Iterator[list[str]]:
    """Every command with each of its parameters given each odd value."""
    for odd_one in command.params:
        if getattr(odd_one, "is_flag", False):
            continue
        others = [given for one in command.params if one.required and one is not odd_one for given in says(one)]
        for value in ODD:
            yield [*path, *others, *says(odd_one, value)]
    for name, inner in getattr(command, "commands", {}).items():
        if name not in WITHOUT_END:
            yield from typed(inner, (*path, name))


def says(parameter: Any, value: str | None = None) -> list[str]:
    given = [NEEDED[parameter.name] if value is None else value] * parameter.nargs
    return given if parameter.param_type_name == "argument" else [parameter.opts[0], *given]


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.long), len(ODD) - 1])
async def test_no_value_of_any_parameter_ends_in_a_traceback(
    hours_pass: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, every: int
) -> None:
    """Who adds a command or an option need not think of this. One less than all: each gets one value, in turn."""
    monkeypatch.chdir(tmp_path)  # some values name a file to be written
    settings, client = hours_pass.settings, hours_pass.services.client
    here = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "ENTRA_JIT_KEYS": settings.keys.get_secret_value(),
        "ENTRA_JIT_PROFILE": settings.profile,
        "ENTRA_JIT_GRAPH_URL": settings.graph_url,
        "ENTRA_JIT_LOGIN_URL": settings.login_url,
        "ENTRA_JIT_CA_FILE": str(settings.ca_file),
        "ENTRA_JIT_TASK_QUEUE": settings.task_queue,
        "TEMPORAL_ADDRESS": client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": client.namespace,
    }
    for name, value in here.items():
        monkeypatch.setenv(name, value)
    handlers = logging.getLogger().handlers[:]

    def walk() -> Iterator[tuple[list[str], Result]]:
        for arguments in islice(typed(typer.main.get_command(cli)), None, None, every):
            yield arguments, CliRunner().invoke(cli, arguments, obj=())

    try:
        ended = await asyncio.to_thread(lambda: list(walk()))
    finally:
        logging.getLogger().handlers[:] = handlers
    assert len(ended) > 200 / every
    for arguments, result in ended:
        assert isinstance(result.exception, SystemExit | None), (arguments, result.exception)
        assert result.exit_code != ExitCode.FAILED, (arguments, result.output)
        assert all(line.isprintable() for line in result.output.split("\n")), (arguments, result.output)
        if any(odd in arguments for odd in ODD[:2]):
            assert result.exit_code == ExitCode.BAD_INPUT, (arguments, result.output)
