"""A command answers at once: it loads what it works with, and nothing of the other commands'.

Imports once took 1.2 seconds of CPU before `--help` said a word. Counted in modules, since time says nothing on a
busy machine.
"""

from __future__ import annotations

import re
import sys

import pytest

from models.errors import ExitCode
from tests.command_line import run_program

MICROSOFT_AND_TEMPORAL = {"httpx", "msal", "requests", "temporalio"}
LEDGER = {"alembic", "cryptography", "psycopg", "pydantic", "sqlalchemy", "sqlmodel"}


@pytest.mark.parametrize(
    ("arguments", "ends", "modules", "never"),
    [
        (["--help"], ExitCode.DONE, 420, MICROSOFT_AND_TEMPORAL | LEDGER),
        (["grants", "--live"], ExitCode.UNREACHABLE, 850, MICROSOFT_AND_TEMPORAL | {"alembic"}),
    ],
    ids=["help", "asks the ledger alone"],
)
async def test_a_command_loads_few_modules(arguments: list[str], ends: ExitCode, modules: int, never: set[str]) -> None:
    ran = await run_program(
        [sys.executable, "-X", "importtime", "starter.py", *arguments],
        DATABASE_URL="postgresql://x@127.0.0.1:1/x",
        ENTRA_JIT_KEYS="test-1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    )

    assert ran.code == ends, ran.err
    loaded = re.findall(r"^import time:.*\| +(\S+)$", ran.err, re.MULTILINE)
    assert not never & {module.split(".")[0] for module in loaded}
    assert len(loaded) <= modules
