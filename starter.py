"""The command line: a thin shell over ``operations``. ``python starter.py --help``."""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import NoReturn

from entra_jit.cli.commands import (  # noqa: F401  # each adds commands
    access,
    connecting,
    doctor,
    emergency,
    holding,
    stack,
    trouble,
)
from entra_jit.cli.commands.shell import cli


def _workflows() -> tuple[type, ...]:
    from workflows.registry import WORKFLOWS  # noqa: PLC0415  # only one command needs them

    return WORKFLOWS


def run_and_leave() -> NoReturn:
    # What a command imports are objects that stay: looking for garbage among them took an eighth of its processor time.
    gc.set_threshold(200_000)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not every terminal can show all that people write
            stream.reconfigure(errors="backslashreplace")
    try:
        cli(obj=_workflows)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        sys.stdout.flush()
        sys.stderr.flush()
        # Once Temporal's client has run, the interpreter's own exit can abort and replace the exit code by 134
        # (temporalio/sdk-python issue 300).
        os._exit(code)
    raise AssertionError("typer leaves through SystemExit")


if __name__ == "__main__":
    run_and_leave()
