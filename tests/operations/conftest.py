"""A deployment with an empty ledger, for operations that need no Temporal; and one whose customers can be connected."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import delete

from entra_jit.app import App
from entra_jit.local_stack.postgres import Postgres
from entra_jit.settings import OwnApplication, Settings
from models.tables import PendingConnectionRow, TenantConnectionRow
from sandbox.child import Addresses, running
from tests.databases import new_database
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.person import SIGN_IN_APP, SIGN_IN_SECRET, Person
from tests.sandbox.seeded import ELEVATE, REVOKE, SECRETS, trusting

KEYS = "k0:" + "A" * 43 + "="


@pytest.fixture(scope="module")
async def app(postgres: Postgres) -> AsyncIterator[App]:
    """One for the tests of a module."""
    url = new_database(postgres.url)
    async with App(Settings(profile="sandbox", database_url=SecretStr(url), keys=SecretStr(KEYS))) as app:
        yield app


def own(client_id: str, secret: str) -> OwnApplication:
    return OwnApplication.model_validate({"client_id": client_id, "secret": secret, "secret_expires": date(2099, 1, 1)})


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def control(addresses: Addresses) -> Iterator[httpx.Client]:
    """The controls of a sandbox in which contoso has never heard of us."""
    with httpx.Client(
        base_url=addresses.control_url, verify=trusting(addresses), trust_env=False, timeout=PATIENCE_SECONDS
    ) as client:
        client.post("/reset").raise_for_status()
        forget_us(client, "contoso")
        yield client


def forget_us(control: httpx.Client, tenant: str) -> None:
    """Delete our applications there, as an administrator of the customer can."""
    for application in (ELEVATE, REVOKE):
        control.delete(f"/tenants/{tenant}/applications/{application}").raise_for_status()


@pytest.fixture
async def msp(app: App, addresses: Addresses, control: httpx.Client) -> AsyncIterator[App]:
    """A deployment with applications of its own, and no tenant connected."""
    settings = app.settings.model_copy(
        update={
            "graph_url": addresses.graph_url,
            "login_url": addresses.login_url,
            "ca_file": Path(addresses.ca_file),
            "graph_timeout_seconds": PATIENCE_SECONDS,
            "elevate": own(ELEVATE, SECRETS[ELEVATE]),
            "revoke": own(REVOKE, SECRETS[REVOKE]),
            "sign_in": own(SIGN_IN_APP, SIGN_IN_SECRET),
        }
    )
    async with App(settings) as opened:
        opened.consent_known_after = timedelta(seconds=PATIENCE_SECONDS)
        async with opened.ledger.transaction() as session:
            await session.exec(delete(TenantConnectionRow))
            await session.exec(delete(PendingConnectionRow))
        yield opened


@pytest.fixture
def person(addresses: Addresses) -> Iterator[Person]:
    """An administrator with a browser."""
    with httpx.Client(
        base_url=addresses.login_url, verify=trusting(addresses), trust_env=False, timeout=PATIENCE_SECONDS
    ) as client:
        yield Person(client)
