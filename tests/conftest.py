"""The services that tests share, started when the first test of a process asks for them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from pydantic import SecretStr
from temporalio.testing import TimeSkipper, WorkflowEnvironment

from entra_jit.ledger.schema import upgrade
from entra_jit.local_stack.addresses import SANDBOX_SECRETS
from entra_jit.local_stack.postgres import Postgres
from entra_jit.temporal.plugin import entra_jit_plugin
from models.search_attributes import ALL as SEARCH_ATTRIBUTES
from sandbox.child import running
from tests.stage import CUSTOMERS, Scene, Services, everywhere, scene, temporal_program, write_seed

TEMPORAL_STARTS = 4

# The tests share their machine's cores: how long one example takes says nothing about the code.
hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--record-histories``: see test_recorded_histories_replay.py. ``--trouble``: see ``tests.stage.everywhere``."""
    parser.addoption("--record-histories", metavar="VERSION", help="write tests/histories/VERSION anew")
    parser.addoption("--trouble", choices=["typical", "bad"], help="replication lag and real throttling in every scene")


def pytest_configure(config: pytest.Config) -> None:
    """Give this run temporary directories that no other run touches.

    Each pytest that starts bars all other users from the directories that they share, and a PostgreSQL that root starts
    runs as another user: one run would take the ledgers of the others away.
    """
    everywhere.lag = config.getoption("--trouble")
    if "PYTEST_DEBUG_TEMPROOT" not in os.environ:
        made = tempfile.mkdtemp(prefix="entra-jit-tests-")
        Path(made).chmod(0o755)
        os.environ["PYTEST_DEBUG_TEMPROOT"] = made
        config.add_cleanup(lambda: shutil.rmtree(made, ignore_errors=True))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--trouble``: only tests that set a scene, and of them none that is marked as exact."""
    if not everywhere.lag:
        return
    on_stage = [item for item in items if "services" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=[item for item in items if item not in on_stage])
    items[:] = on_stage
    for item in items:
        if exact := item.get_closest_marker("exact"):
            item.add_marker(pytest.mark.skip(reason=exact.args[0]))


@pytest.fixture
def state() -> Iterator[Path]:
    """Where a stack of one test's own keeps what it has: a short path, since PostgreSQL's socket lies in it."""
    with tempfile.TemporaryDirectory(dir=os.environ["PYTEST_DEBUG_TEMPROOT"]) as made:
        Path(made).chmod(0o755)
        yield Path(made)


CONFIGURED = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    # The sooner to see that a grant goes on in a new run: more than any has that is not flooded.
    "limit.historyCount.suggestContinueAsNew": "300",
}


async def _temporal() -> WorkflowEnvironment:
    """A Temporal that can skip time. In a file, its state would wait for the disk with each step of a workflow.

    The SDK gives it five seconds to start, which are few where others start beside it on a busy machine.
    """
    for left in reversed(range(TEMPORAL_STARTS)):
        try:
            return await WorkflowEnvironment.start_local(
                dev_server_existing_path=temporal_program(),
                dev_server_extra_args=[
                    part for key, value in CONFIGURED.items() for part in ("--dynamic-config-value", f"{key}={value}")
                ],
                search_attributes=SEARCH_ATTRIBUTES,
                plugins=[entra_jit_plugin()],
            )
        except RuntimeError:
            if not left:
                raise
    raise AssertionError


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    """A real server, in which the database ``postgres`` has the schema and serves as a template.

    It does not wait for the disk. Tests of what survives a crash start a server of their own.
    """
    state = tmp_path_factory.mktemp("postgres")
    for part in ("run", "logs"):
        (state / part).mkdir()
    postgres = Postgres(state)
    await postgres.start()
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    upgrade(SecretStr(postgres.url))
    try:
        yield postgres
    finally:
        await postgres.stop()
        postgres.forget_sockets()


@pytest.fixture(scope="session")
async def services(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Services]:
    """PostgreSQL with the schema, the simulated customers, and a Temporal that can skip time for a workflow."""
    os.environ.update(SANDBOX_SECRETS)
    state = tmp_path_factory.mktemp("stage")
    (state / "sandbox").mkdir()
    write_seed(state / "seed.yaml")
    environment = await _temporal()
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
