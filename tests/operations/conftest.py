"""A deployment with an empty ledger, for operations that need no Temporal."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.ledger.schema import upgrade
from entra_jit.local_stack.postgres import Postgres
from entra_jit.settings import Settings

KEYS = "k0:" + "A" * 43 + "="


@pytest.fixture(scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    """One for the tests of a module."""
    state = tmp_path_factory.mktemp("operations")
    (state / "run").mkdir()
    (state / "logs").mkdir()
    postgres = Postgres(state)
    await postgres.start()
    try:
        upgrade(SecretStr(postgres.url))
        settings = Settings(profile="sandbox", database_url=SecretStr(postgres.url), keys=SecretStr(KEYS))
        async with App(settings) as app:
            yield app
    finally:
        await postgres.stop()
        postgres.forget_sockets()
