"""A ledger of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr

from entra_jit.ledger.database import Ledger
from entra_jit.local_stack.postgres import Postgres
from tests.databases import new_database
from tests.ledger.books import Books


@pytest.fixture
def empty_database(postgres: Postgres) -> Callable[[], str]:
    """Makes databases without a schema; the URL of each."""
    return lambda: new_database(postgres.url, template="template0")


@pytest.fixture
async def books(postgres: Postgres) -> AsyncIterator[Books]:
    """A ledger with two tenants and two technicians in it."""
    async with Ledger(SecretStr(new_database(postgres.url))) as ledger:
        made = Books(ledger)
        await made.configure()
        yield made
