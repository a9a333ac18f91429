"""A PostgreSQL for the ledger's tests, and a ledger of its own for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr

from entra_jit.ledger.database import Ledger
from entra_jit.ledger.schema import upgrade
from entra_jit.local_stack.postgres import Postgres
from tests.ledger.books import Books, new_database


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    """A real server, in which the database ``postgres`` has the schema and serves as a template."""
    state = tmp_path_factory.mktemp("ledger")
    (state / "run").mkdir()
    (state / "logs").mkdir()
    postgres = Postgres(state)
    await postgres.start()
    upgrade(SecretStr(postgres.url))
    try:
        yield postgres
    finally:
        await postgres.stop()
        postgres.forget_sockets()


@pytest.fixture
def empty_database(postgres: Postgres) -> Callable[[], str]:
    """Makes databases without a schema; the URL of each."""
    return lambda: new_database(postgres.url, template="template0")


@pytest.fixture
async def books(postgres: Postgres) -> AsyncIterator[Books]:
    """A ledger with two tenants and two technicians in it."""
    async with Ledger(SecretStr(new_database(postgres.url, template="postgres"))) as ledger:
        made = Books(ledger)
        await made.configure()
        yield made
