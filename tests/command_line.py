"""The command line as a person uses it: a process of its own, beside a running stack."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from entra_jit.ledger import grants, receipts, requests
from entra_jit.ledger.database import Ledger
from entra_jit.ledger.rows import as_status
from entra_jit.local_stack import running_stack
from entra_jit.local_stack.addresses import neutral_environment
from models.messages import GrantStatus

ROOT = Path(__file__).parent.parent


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


async def run_program(command: list[str], cwd: Path = ROOT, *, seconds: float = 60, **environment: str) -> Ran:
    """Run a program of ours to its end, with nothing in its environment but this."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**neutral_environment(), "COLUMNS": "120", **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds):
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
        """Run a command to its end; it has a minute."""
        return await run_program(
            [sys.executable, "starter.py", "--state-dir", str(self.state_dir), *arguments], **environment
        )

    async def request(self, tenant: str, technician: str, *options: str) -> str:
        """Ask for an hour; the request's id."""
        asked = await self("request", tenant, technician, "--reason", "a test", "--hours", "1", *options, "--json")
        assert asked.code in (0, 3), asked.err
        return str(asked.json["request_id"])

    async def until(
        self, request_id: str, wanted: Callable[[GrantStatus], bool], *, seconds: float = 60
    ) -> GrantStatus:
        """Wait until the ledger's status of the request is as wanted. A command a look would keep the machine busy."""
        stack = running_stack(self.state_dir)
        assert stack is not None
        status = GrantStatus()
        try:
            async with asyncio.timeout(seconds), Ledger(SecretStr(stack.database_url), pool_size=1) as ledger:
                while not wanted(status):
                    await asyncio.sleep(0.05)
                    async with ledger.transaction() as session:
                        if request := await requests.by_id(session, request_id):
                            grant = await grants.by_id(session, request_id)
                            status = as_status(request, grant, await receipts.of_request(session, request_id))
        except TimeoutError:
            raise AssertionError(f"it stays {status}") from None
        return status
