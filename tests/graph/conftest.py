"""The client against a directory that behaves as Microsoft's: one sandbox for the session, over TLS, reset per test."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from entra_jit.graph import ClientSecret, Connection, Credential, Graph, Tenant
from models.messages import ObjectId
from sandbox.child import running
from tests.patience import PATIENCE_SECONDS

CONTOSO = "c0c0c0c0-2222-4222-8222-000000000002"
ELEVATE = "e1e7a7e0-0000-4000-8000-00000000e1e7"
REVOKE = "5e70ca7e-0000-4000-8000-000000005e70"
ADELE = ObjectId("c0c0c0c0-2222-4222-8222-0000000000b1")
RETAIL = ObjectId("c0c0c0c0-2222-4222-8222-00000000ee01")


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox, and a way to its controls."""

    graph_url: str
    login_url: str
    ca_file: Path
    control: httpx.Client

    def fault(self, **specification: object) -> str:
        """Let requests go wrong; see ``sandbox.faults.FaultSpecification``. The fault's id."""
        return str(self.control.post("/faults", json=specification).raise_for_status().json()["id"])

    def hits(self, fault: str) -> int:
        """How many requests have met the fault."""
        shown = self.control.get("/faults").raise_for_status().json()
        return next(int(one["hits"]) for one in shown if one["id"] == fault)

    def release(self, fault: str) -> None:
        """Take the fault away. The requests that it held up go on."""
        self.control.delete(f"/faults/{fault}").raise_for_status()

    def journal(self, **wanted: str) -> list[dict[str, Any]]:
        """What was asked of the sandbox since the test began."""
        found: list[dict[str, Any]] = self.control.get("/journal", params=wanted).raise_for_status().json()
        return found

    def change(self, path: str, **body: object) -> dict[str, Any]:
        """Do in Contoso what an administrator or a stranger could."""
        changed: dict[str, Any] = self.control.post(f"/tenants/contoso{path}", json=body).raise_for_status().json()
        return changed


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One process for all tests here."""
    with running(tmp_path_factory.mktemp("sandbox")) as addresses:
        trust = ssl.create_default_context(cafile=addresses.ca_file)
        with httpx.Client(
            base_url=addresses.control_url, verify=trust, trust_env=False, timeout=PATIENCE_SECONDS
        ) as control:
            yield Sandbox(addresses.graph_url, addresses.login_url, Path(addresses.ca_file), control)


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """The sandbox as on its first day."""
    running_sandbox.control.post("/reset").raise_for_status()
    return running_sandbox


@pytest.fixture
async def graph(sandbox: Sandbox) -> AsyncIterator[Graph]:
    """The door to it."""
    options = {"graph_url": sandbox.graph_url, "login_url": sandbox.login_url, "ca_file": sandbox.ca_file}
    async with Graph(**options, timeout=PATIENCE_SECONDS) as opened:  # type: ignore[arg-type]
        yield opened


def contoso(client_id: str, credential: Credential) -> Connection:
    """Contoso as this app may act in it."""
    return Connection.model_validate(
        {"tenant_id": CONTOSO, "tenant": "Contoso", "client_id": client_id, "credential": credential}
    )


@pytest.fixture
def elevate(graph: Graph) -> Tenant:
    """Contoso as the elevating app sees it."""
    return graph.tenant(contoso(ELEVATE, ClientSecret.model_validate({"secret": "sandbox-only-elevate-secret"})))


@pytest.fixture
def revoke(graph: Graph) -> Tenant:
    """Contoso as the revoking app sees it."""
    return graph.tenant(contoso(REVOKE, ClientSecret.model_validate({"secret": "sandbox-only-revoke-secret"})))


Signer = Callable[[str], int]


@pytest.fixture
def sign_in(sandbox: Sandbox) -> Signer:
    """Whether a password opens the account of our technician: the status of the attempt."""

    def attempt(password: str) -> int:
        body = {"username": "msp-alex@contoso.onmicrosoft.com", "password": password}
        return sandbox.control.post("/sign-in", json=body).status_code

    return attempt
