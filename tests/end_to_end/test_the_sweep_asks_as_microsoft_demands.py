"""The reconciler finds accounts by their owner tags. Microsoft's default index does not know those: asked without the
header and the count that it demands it refuses, and no account that was forgotten is ever closed. Asked as it demands,
it answers from an index that is minutes behind.

A client and a simulated tenant that agree with one another can both be wrong. So the tenant here refuses first.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from entra_jit.local_stack.addresses import SANDBOX_SECRETS
from entra_jit.local_stack.stack import LocalStack
from models.messages import GrantState, GrantStatus
from tests.command_line import CommandLine
from tests.end_to_end.backups import back_up, put_back
from tests.patience import PATIENCE_SECONDS

ELEVATE = "e1e7a7e0-0000-4000-8000-00000000e1e7"
CONTOSO = "c0c0c0c0-2222-4222-8222-000000000002"
ACCOUNT = "msp-alex@contoso.onmicrosoft.com"
TAGGED = "startsWith(onPremisesExtensionAttributes/extensionAttribute14,'entra-jit')"


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[LocalStack]:
    async with LocalStack(tmp_path / "state") as stack:
        yield stack


@pytest.fixture
async def http(stack: LocalStack) -> AsyncIterator[httpx.AsyncClient]:
    trusted = ssl.create_default_context(cafile=stack.addresses.ca_file)
    async with httpx.AsyncClient(verify=trusted, trust_env=False, timeout=PATIENCE_SECONDS) as client:
        yield client


def is_open(status: GrantStatus) -> bool:
    return status.state is GrantState.OPEN


def is_over(status: GrantStatus) -> bool:
    return status.state.is_final


async def asked_plainly(stack: LocalStack, http: httpx.AsyncClient) -> httpx.Response:
    """What Microsoft answers to a filter on the tag and nothing besides."""
    where = stack.addresses
    form = {
        "client_id": ELEVATE,
        "client_secret": SANDBOX_SECRETS["SANDBOX_ELEVATE_SECRET"],
        "grant_type": "client_credentials",
        "scope": "https://graph.microsoft.com/.default",
    }
    token = (await http.post(f"{where.login_url}/{CONTOSO}/oauth2/v2.0/token", data=form)).json()["access_token"]
    return await http.get(
        f"{where.graph_url}/users", params={"$filter": TAGGED}, headers={"Authorization": f"Bearer {token}"}
    )


async def test_an_account_that_is_open_without_a_grant_is_found_by_its_tag_and_closed(
    stack: LocalStack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    run, control = CommandLine(stack.state_dir), f"{stack.addresses.sandbox_control}/tenants/contoso/users/{ACCOUNT}"

    async def reopened_by_hand() -> None:
        assert (await http.patch(control, json={"enabled": True})).is_success

    async def after_a_reconciliation() -> dict[str, Any]:
        reconciled = await run("reconcile", "--tenant", "contoso")
        assert reconciled.code == 0, reconciled
        found: dict[str, Any] = (await http.get(control)).json()
        return found

    assert (await run("apply", "examples/msp.yaml")).code == 0
    refused = await asked_plainly(stack, http)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "Request_UnsupportedQuery")
    # The account comes into being, is closed, and is then forgotten: nothing but its tag tells that it is ours.
    await back_up(stack.addresses.database_url, tmp_path / "earlier")
    grant = await run.request("contoso", "alex")
    assert (await run.until(grant, is_open)).account_name == ACCOUNT
    assert (await run("end", grant)).code == 0
    await run.until(grant, is_over)
    await put_back(stack.addresses.database_url, tmp_path / "earlier")

    await reopened_by_hand()
    assert (await http.post(f"{control}/roles", json={"roles": ["User Administrator"]})).is_success
    closed = await after_a_reconciliation()
    assert (closed["enabled"], closed["roles"]) == (False, [])

    # For an hour the index tells of a closed account, whatever becomes of it.
    lag = {"tenant": "contoso", "lag": {"index": [3600, 3600]}}
    assert (await http.post(f"{stack.addresses.sandbox_control}/lag", json=lag)).is_success
    await reopened_by_hand()
    closed = await after_a_reconciliation()
    assert (closed["enabled"], closed["roles"]) == (False, [])
