"""The services that tests share, started when the first test of a process asks for them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
from pydantic import SecretStr
from temporalio.testing import TimeSkipper, WorkflowEnvironment

from engine.plugin import entra_jit_plugin
from ledger.migrations import upgrade
from local_stack.addresses import SANDBOX_SECRETS
from local_stack.postgres import Postgres
from sandbox.child import running
from tests.stage import CUSTOMERS, Scene, Services, scene, temporal_program, write_seed
from workflows.search_attributes import ALL as SEARCH_ATTRIBUTES

# The tests share their machine's cores: how long one example takes says nothing about the code.
hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--record-histories``: see test_recorded_histories_replay.py."""
    parser.addoption("--record-histories", action="store_true", help="write tests/histories anew")


@pytest.fixture(scope="session")
def state() -> Iterator[Path]:
    """Where the services keep what they have.

    Not among pytest's own directories: each pytest that starts bars all other users from those of the others, and a
    PostgreSQL that root starts runs as another user.
    """
    with tempfile.TemporaryDirectory(prefix="entra-jit-tests-") as made:
        yield Path(made)


@pytest.fixture(scope="session")
async def services(state: Path) -> AsyncIterator[Services]:
    """PostgreSQL with the schema, the simulated customers, and a Temporal that can skip time for a workflow."""
    os.environ.update(SANDBOX_SECRETS)
    for part in ("sandbox", "run", "logs"):
        (state / part).mkdir()
    write_seed(state / "seed.yaml")
    postgres = Postgres(state)
    await postgres.start()
    upgrade(SecretStr(postgres.url))
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_program(),
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
            "--db-filename",
            str(state / "temporal.db"),
        ],
        search_attributes=SEARCH_ATTRIBUTES,
        plugins=[entra_jit_plugin()],
    )
    try:
        with running(state / "sandbox", "--seed", str(state / "seed.yaml")) as sandbox:
            yield Services(
                database_url=postgres.url,
                sandbox=sandbox,
                client=environment.client,
                skipper=TimeSkipper(environment.client),
                customers=iter([f"customer-{number:03}" for number in range(CUSTOMERS)]),
            )
    finally:
        await environment.shutdown()
        await postgres.stop()


@pytest.fixture
async def hours_pass(services: Services) -> AsyncIterator[Scene]:
    """A scene in which waiting costs nothing: a workflow that sleeps has its time skipped."""
    async with scene(services, customers=1, skips_time=True) as made:
        yield made


@pytest.fixture
async def real_time(services: Services) -> AsyncIterator[Scene]:
    """A scene in which a second is a second."""
    async with scene(services, customers=1, skips_time=False) as made:
        yield made
