"""What the benchmarks run on: a stack of their own with one customer, or a ledger alone; and how they look at it.

All of it stays on this machine and stops by itself.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import httpx
import yaml
from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.identity.operator import operator_here
from entra_jit.ledger.schema import upgrade
from entra_jit.local_stack.postgres import Postgres
from entra_jit.local_stack.stack import LocalStack
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.operations.request_access import request_access
from entra_jit.operations.show_status import show_status
from entra_jit.settings import adopt_environment, load_settings
from models.messages import GrantState

CONTOSO = "c0c0c0c0-2222-4222-8222-000000000002"
DOMAIN = "contoso.onmicrosoft.com"
ELEVATE = "e1e7a7e0-0000-4000-8000-00000000e1e7"
REVOKE = "5e70ca7e-0000-4000-8000-000000005e70"
ROLES = ["Helpdesk Administrator", "User Administrator", "Exchange Administrator"]


@asynccontextmanager
async def a_stack(technicians: Sequence[str]) -> AsyncIterator[tuple[LocalStack, App, httpx.AsyncClient]]:
    """A stack without a worker in a temporary directory, configured, and a client that trusts its sandbox."""
    print_load()
    with tempfile.TemporaryDirectory(prefix="entra-jit-bench-") as directory:
        async with LocalStack(Path(directory), worker=False) as stack:
            adopt_environment(stack.environment())
            configuration = Path(directory) / "msp.yaml"
            configuration.write_text(yaml.safe_dump(configuration_of(technicians)))
            async with App(load_settings()) as app, a_client(stack) as http:
                await apply_configuration(operator_here(), app, configuration)
                yield stack, app, http
    print_load()


@asynccontextmanager
async def a_postgres() -> AsyncIterator[Postgres]:
    """A PostgreSQL with the ledger's schema."""
    with tempfile.TemporaryDirectory(prefix="entra-jit-bench-") as directory:
        for name in ("run", "logs"):
            (Path(directory) / name).mkdir()
        postgres = Postgres(Path(directory))
        await postgres.start()
        try:
            upgrade(SecretStr(postgres.url))
            yield postgres
        finally:
            await postgres.stop()
            postgres.forget_sockets()


@asynccontextmanager
async def running(*command: str, environment: dict[str, str]) -> AsyncIterator[int]:
    """Another Python program of ours; its process id. It is told to stop, and waited for."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env={**os.environ, **environment}, stdout=quiet, stderr=quiet
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


def a_client(stack: LocalStack) -> httpx.AsyncClient:
    """Trusts the sandbox of the stack."""
    trusting = ssl.create_default_context(cafile=str(stack.addresses.ca_file))
    return httpx.AsyncClient(verify=trusting, trust_env=False, timeout=60)


def configuration_of(technicians: Sequence[str]) -> dict[str, Any]:
    """Contoso, these technicians and three roles, as a configuration file says it."""
    return {
        "tenants": [
            {
                "name": "contoso",
                "id": CONTOSO,
                "account_domain": DOMAIN,
                "elevate": {"client_id": ELEVATE, "secret": {"env": "SANDBOX_ELEVATE_SECRET"}},
                "revoke": {"client_id": REVOKE, "secret": {"env": "SANDBOX_REVOKE_SECRET"}},
            }
        ],
        "technicians": [{"name": name, "id": str(uuid5(NAMESPACE_DNS, name))} for name in technicians],
        "role_mappings": [{"group": "all-technicians", "roles": ROLES}],
    }


async def ask(app: App, technician: str, duration: timedelta) -> str:
    """Ask for Contoso; the request's id."""
    return await request_access(
        operator_here(), app, tenant="contoso", technician=technician, reason="benchmark", duration=duration
    )


async def until_open(app: App, request_id: str, *, look_every: float = 0.02) -> None:
    """Wait until the grant is open."""
    while (await show_status(operator_here(), app, request_id)).state is not GrantState.OPEN:
        await asyncio.sleep(look_every)


def print_load() -> None:
    """Figures of a busy machine say nothing."""
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def resident_megabytes(pid: int) -> float:
    """The memory of a process that is not shared with a file; Linux only."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("RssAnon:"))


def processor_seconds(pid: int) -> float:
    """What a process and those that it began have used of the processors by now; Linux only."""
    return sum(map(_own_seconds, [pid, *_children(pid)]))


def _own_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # over already
        return 0.0
    # User and system time, and that of children that are over.
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    try:
        begun = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [one for children in begun for child in map(int, children) for one in (child, *_children(child))]
