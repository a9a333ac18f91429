"""A customer that leaves keeps nothing of ours that is open, and we keep no key to it.

A credential that is only forgotten still opens the tenant, for every copy of it. One whose applications were deleted
first leaves accounts behind that were never read back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import text

from entra_jit.app import App
from entra_jit.ledger import events, reconciliation
from entra_jit.operations._leaving import NotDisconnectedError
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.operations.disconnect_tenant import disconnect_tenant
from models.events import EventKind
from tests.actors import TESTER
from tests.operations.conftest import forget_us
from tests.sandbox.seeded import CONTOSO, ELEVATE, FABRIKAM, REVOKE

TENANTS = {"contoso": CONTOSO, "fabrikam": FABRIKAM}


@pytest.fixture
async def clean(msp: App) -> None:
    async with msp.ledger.transaction() as session:
        await (await session.connection()).execute(text("TRUNCATE tenants, technicians, requests CASCADE"))


pytestmark = pytest.mark.usefixtures("clean")


async def apply(msp: App, folder: Path, *tenants: str) -> None:
    """Have these customers, who use the MSP's own applications."""
    content = {
        "tenants": [
            {"name": name, "id": TENANTS[name], "account_domain": f"{name}.onmicrosoft.com"} for name in tenants
        ],
        "technicians": [{"name": "alex", "id": "0a0a0a0a-1111-4111-8111-0000000000a1"}],
        "role_mappings": [{"group": "all-technicians", "roles": ["Helpdesk Administrator"]}],
    }
    file = folder / "msp.yaml"
    file.write_text(yaml.safe_dump(content))
    await apply_configuration(TESTER, msp, file, yes=True)


def rights(control: httpx.Client) -> dict[str, Any]:
    """The directory roles of our service principals in Fabrikam."""
    found = control.get("/tenants/fabrikam").json()["service_principals"]
    return {one["app_id"]: one["roles"] for one in found if one["app_id"] in {ELEVATE, REVOKE}}


async def reconciled(msp: App) -> list[str]:
    async with msp.ledger.transaction() as session:
        return [tenant.name for tenant in await reconciliation.tenants(session)]


async def test_one_that_is_configured_is_not_disconnected(msp: App, tmp_path: Path, control: httpx.Client) -> None:
    await apply(msp, tmp_path, "contoso", "fabrikam")
    before = rights(control)
    with pytest.raises(NotDisconnectedError, match=r"^fabrikam is in the configuration\."):
        await disconnect_tenant(TESTER, msp, "fabrikam", "they have left us")
    assert rights(control) == before


async def test_our_rights_and_credentials_go_and_applying_brings_it_back(
    msp: App, tmp_path: Path, control: httpx.Client
) -> None:
    await apply(msp, tmp_path, "contoso", "fabrikam")
    await apply(msp, tmp_path, "contoso")
    assert await reconciled(msp) == ["contoso", "fabrikam"], "what was opened in an inactive one is closed too"

    outcome = await disconnect_tenant(TESTER, msp, "fabrikam", "they have left us")

    assert (outcome.not_done, outcome.applications_left) == ((), (REVOKE, ELEVATE))
    assert rights(control) == {ELEVATE: [], REVOKE: []}
    assert await reconciled(msp) == ["contoso"]
    async with msp.ledger.transaction() as session:
        [event] = await events.newest(session, EventKind.TENANT_DISCONNECTED, {}, limit=1)
    assert event.body["reason"] == "they have left us"
    await apply(msp, tmp_path, "contoso", "fabrikam")
    assert await reconciled(msp) == ["contoso", "fabrikam"]


async def test_one_that_does_not_let_us_in_is_disconnected_only_by_force(
    msp: App, tmp_path: Path, control: httpx.Client
) -> None:
    await apply(msp, tmp_path, "contoso", "fabrikam")
    await apply(msp, tmp_path, "contoso")
    forget_us(control, "fabrikam")
    with pytest.raises(NotDisconnectedError, match="AADSTS7000229"):
        await disconnect_tenant(TESTER, msp, "fabrikam", "they have left us")
    assert await reconciled(msp) == ["contoso", "fabrikam"]

    outcome = await disconnect_tenant(TESTER, msp, "fabrikam", "they have left us", forced=True)

    assert len(outcome.not_done) == 3, "what was looked for, and the roles of both"
    assert await reconciled(msp) == ["contoso"]
