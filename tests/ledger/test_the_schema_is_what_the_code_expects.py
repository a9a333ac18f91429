"""Migrations make exactly the tables that the code uses, once, in whatever order workers start.

A column that the models have and the migrations lack is an error in the middle of a grant, in production only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import create_engine, inspect
from sqlmodel import SQLModel

import models.tables  # noqa: F401  # registers the tables
from entra_jit.ledger.database import sqlalchemy_url
from entra_jit.ledger.schema import MIGRATIONS, upgrade
from tests.copied import copied
from tests.patience import PATIENCE_SECONDS

NEWEST = ScriptDirectory(str(MIGRATIONS)).get_current_head()
"""The one that no other follows; where two follow the same one, this raises."""

OPTIONS = {
    "compare_type": True,
    "compare_server_default": True,
    # the months of the journal come and go
    "include_name": lambda name, kind, _: not (kind == "table" and name.startswith("events_")),
}


def differences(url: str) -> tuple[list[object], str | None]:
    """What alembic would still have to do, and the revision that it finds."""
    engine = create_engine(sqlalchemy_url(SecretStr(url)))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=OPTIONS)
        found = compare_metadata(context, SQLModel.metadata), context.get_current_revision()
    engine.dispose()
    return found


async def test_an_upgrade_from_nothing_gives_the_models_tables_and_again_changes_nothing(
    empty_database: Callable[[], str],
) -> None:
    url = empty_database()
    await asyncio.to_thread(upgrade, SecretStr(url))
    assert differences(url) == ([], NEWEST)
    await asyncio.to_thread(upgrade, SecretStr(url))
    assert differences(url) == ([], NEWEST)


async def test_workers_that_start_together_migrate_once(empty_database: Callable[[], str]) -> None:
    url = empty_database()
    together = [copied.Process(target=upgrade, args=(SecretStr(url),), daemon=True) for _ in range(3)]
    for worker in together:
        worker.start()
    for worker in together:
        await asyncio.to_thread(worker.join, PATIENCE_SECONDS)
    assert [worker.exitcode for worker in together] == [0, 0, 0]
    assert differences(url) == ([], NEWEST)


async def test_the_lock_is_an_index_that_postgresql_enforces(empty_database: Callable[[], str]) -> None:
    """An index that alembic compares as equal but that is not unique, or not partial, would lock nobody out."""
    url = empty_database()
    await asyncio.to_thread(upgrade, SecretStr(url))
    engine = create_engine(sqlalchemy_url(SecretStr(url)))
    indexes = {index["name"]: index for index in inspect(engine).get_indexes("grants")}
    engine.dispose()
    lock = indexes["one_live_grant_per_technician_and_tenant"]
    assert lock["unique"]
    assert lock["column_names"] == ["tenant_id", "technician_id"]
    assert "settled_at IS NULL" in lock["dialect_options"]["postgresql_where"]
