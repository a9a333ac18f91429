"""One sandbox process a session, back at its seed before each test; clients as real applications have them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from msgraph import GraphServiceClient

from sandbox.child import Addresses, running
from sandbox.graph.app_roles import app_role_ids
from sandbox.graph.licences import P1, P2
from tests.patience import PATIENCE_SECONDS
from tests.sandbox import sdk
from tests.sandbox.seeded import CONTOSO, ELEVATE, Graph, new_user, token_of, trusting


@pytest.fixture(scope="session")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture(scope="session")
def trust(addresses: Addresses) -> ssl.SSLContext:
    return trusting(addresses)


@pytest.fixture(scope="session")
def _control(addresses: Addresses, trust: ssl.SSLContext) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=addresses.control_url, verify=trust, trust_env=False, timeout=PATIENCE_SECONDS
    ) as client:
        yield client


@pytest.fixture
def control(_control: httpx.Client) -> httpx.Client:
    """The control interface of a sandbox that has just been reset."""
    assert _control.post("/reset").status_code == 200
    return _control


@pytest.fixture
def login(addresses: Addresses, trust: ssl.SSLContext, control: httpx.Client) -> Iterator[httpx.Client]:
    """The sign-in service."""
    with httpx.Client(base_url=addresses.login_url, verify=trust, trust_env=False, timeout=PATIENCE_SECONDS) as client:
        yield client


@pytest.fixture
def graph(addresses: Addresses, trust: ssl.SSLContext, login: httpx.Client) -> Iterator[Graph]:
    """Graph as an application in a tenant calls it: ``graph(app=ELEVATE, tenant=CONTOSO)``, with a fresh token."""
    clients: list[httpx.Client] = []

    def client(app: str = ELEVATE, tenant: str = CONTOSO) -> httpx.Client:
        token = token_of(login, app, tenant)
        clients.append(
            httpx.Client(
                base_url=addresses.graph_url,
                verify=trust,
                trust_env=False,
                timeout=PATIENCE_SECONDS,
                headers={"Authorization": f"Bearer {token}"},
            )
        )
        return clients[-1]

    yield client
    for opened in clients:
        opened.close()


@pytest.fixture
def account(graph: Graph) -> str:
    """The id of a fresh, enabled account without roles in contoso."""
    made = graph().post("/users", json=new_user())
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


@pytest.fixture
async def microsoft(addresses: Addresses, control: httpx.Client) -> AsyncIterator[GraphServiceClient]:
    """Microsoft's SDK as an application that may do everything, in contoso with Entra ID P2."""
    every = sorted(app_role_ids())
    changes = {"service_plans": [P1, P2], "service_principals": [{"app": ELEVATE, "grant": every}]}
    assert control.post("/tenants/contoso", json=changes).status_code == 200  # noqa: ASYNC212 - a child on this machine
    async with sdk.http_client(addresses) as http:
        yield sdk.client_of(addresses, sdk.with_secret(addresses, ELEVATE, CONTOSO), http)
