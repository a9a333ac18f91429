"""The command line as a person uses it: a process of its own, beside a running stack."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

import starter
from entra_jit.ledger import statuses
from entra_jit.ledger.database import Ledger
from entra_jit.local_stack.addresses import neutral_environment, running_stack
from models.messages import GrantStatus
from tests.copied import copied
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {**neutral_environment(), "COLUMNS": "120"}


@dataclass(frozen=True)
class Ran:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output, which must be JSON and nothing else."""
        return json.loads(self.out)


async def run_program(command: list[str], cwd: Path = ROOT, **environment: str) -> Ran:
    """Run a program of ours to its end, with nothing in its environment but this."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**ENVIRONMENT, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())


@dataclass(frozen=True)
class CommandLine:
    """``starter.py`` for the stack in one directory."""

    state_dir: Path

    async def __call__(self, *arguments: str, **environment: str) -> Ran:
        """Run a command to its end, in a process of its own with nothing in its environment but this."""
        return await asyncio.to_thread(
            _run_copied, ("--state-dir", str(self.state_dir), *arguments), {**ENVIRONMENT, **environment}
        )

    async def request(self, tenant: str, technician: str, *options: str) -> str:
        """Ask for an hour; the request's id."""
        asked = await self("request", tenant, technician, "--reason", "a test", "--hours", "1", *options, "--json")
        assert asked.code in (0, 3), asked.err
        return str(asked.json["request_id"])

    async def until(self, request_id: str, wanted: Callable[[GrantStatus], bool]) -> GrantStatus:
        """Wait until the ledger's status of the request is as wanted. A command a look would keep the machine busy."""
        stack = running_stack(self.state_dir)
        assert stack is not None
        status = GrantStatus()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), Ledger(SecretStr(stack.database_url), pool_size=1) as ledger:
                while not wanted(status):
                    await asyncio.sleep(0.05)
                    async with ledger.transaction() as session:
                        status = await statuses.of_request(session, request_id, datetime.now(UTC)) or status
        except TimeoutError:
            raise AssertionError(f"it stays {status}") from None
        return status


def _run_copied(arguments: tuple[str, ...], environment: dict[str, str]) -> Ran:
    with tempfile.TemporaryDirectory() as directory:
        out, err = Path(directory) / "out", Path(directory) / "err"
        process = copied.Process(target=_become_the_program, args=(arguments, environment, out, err), daemon=True)
        process.start()
        process.join(PATIENCE_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"it does not end: {arguments}")
        return Ran(process.exitcode, out.read_text(), err.read_text())


def _become_the_program(arguments: tuple[str, ...], environment: dict[str, str], out: Path, err: Path) -> None:
    """What an interpreter does that is started with ``starter.py`` and these arguments, but for the imports."""
    os.environ.clear()
    os.environ.update(environment)
    for number, file in ((1, out), (2, err)):
        os.dup2(os.open(file, os.O_CREAT | os.O_WRONLY), number)
    sys.argv = ["starter.py", *arguments]
    starter.run_and_leave()
