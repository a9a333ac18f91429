"""A command answers at once: it loads what it works with, and nothing of the other commands'.

Imports once took 1.2 seconds of CPU before `--help` said a word. Counted in modules, since time says nothing on a
busy machine.
"""

from __future__ import annotations

import re
import sys

from tests.command_line import run_program

MODULES_OF_HELP = 420
"""What Python, typer and rich load, and a few of ours."""

HEAVY = {"alembic", "cryptography", "httpx", "msal", "psycopg", "pydantic", "sqlalchemy", "sqlmodel", "temporalio"}


async def test_help_loads_no_library_that_a_command_works_with() -> None:
    ran = await run_program([sys.executable, "-X", "importtime", "starter.py", "--help"])

    assert ran.code == 0, ran.err
    loaded = re.findall(r"^import time:.*\| +(\S+)$", ran.err, re.MULTILINE)
    assert not HEAVY & {module.split(".")[0] for module in loaded}
    assert len(loaded) <= MODULES_OF_HELP
