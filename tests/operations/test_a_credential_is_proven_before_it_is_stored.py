"""A credential that does not open its tenant is refused when it is configured, not when the first grant needs it.

A wrong client id was *applied*; the technician found it, at the customer, in the evening. And a file whose old
credentials work must be applied whatever becomes of the customer's tenant: it is how a leaver is taken out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import text

from entra_jit.app import App
from entra_jit.ledger import configuration as configurations
from entra_jit.operations.apply_configuration import apply_configuration
from models.errors import BadInputError
from models.messages import TenantId
from tests.actors import TESTER
from tests.operations.conftest import forget_us
from tests.sandbox.seeded import ELEVATE, FABRIKAM, REVOKE, SECRETS

STRANGER = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(autouse=True)
async def clean(msp: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is configured, and the secrets are the sandbox's. Contoso has never heard of us; Fabrikam has."""
    monkeypatch.setenv("ELEVATE", SECRETS[ELEVATE])
    monkeypatch.setenv("REVOKE", SECRETS[REVOKE])
    monkeypatch.setenv("WRONG", "unmistakable")
    async with msp.ledger.transaction() as session:
        await (await session.connection()).execute(text("TRUNCATE tenants, technicians, requests CASCADE"))


def file_with(folder: Path, *, elevate: tuple[str, str], revoke: tuple[str, str], **tenant: Any) -> Path:
    """One customer with these applications: client id, and the variable of its secret."""
    entry = {
        "name": "fabrikam",
        "id": FABRIKAM,
        "account_domain": "fabrikam.onmicrosoft.com",
        "elevate": {"client_id": elevate[0], "secret": {"env": elevate[1]}},
        "revoke": {"client_id": revoke[0], "secret": {"env": revoke[1]}},
    }
    content = {
        "tenants": [entry | tenant],
        "technicians": [{"name": "alex", "id": "0a0a0a0a-1111-4111-8111-0000000000a1"}],
        "role_mappings": [{"group": "all-technicians", "roles": ["Helpdesk Administrator"]}],
    }
    file = folder / "msp.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


async def stored(msp: App) -> dict[str, Any]:
    async with msp.ledger.transaction() as session:
        return await configurations.connection_secrets(session, msp.keyring, TenantId(FABRIKAM))


@pytest.mark.parametrize(
    ("elevate", "revoke", "purpose", "says"),
    [
        ((STRANGER, "ELEVATE"), (REVOKE, "REVOKE"), "elevate", "AADSTS700016"),
        ((ELEVATE, "ELEVATE"), (REVOKE, "WRONG"), "revoke", "AADSTS7000215"),
    ],
)
async def test_one_that_opens_nothing_is_refused_with_its_line_and_not_stored(
    msp: App, tmp_path: Path, elevate: tuple[str, str], revoke: tuple[str, str], purpose: str, says: str
) -> None:
    file = file_with(tmp_path, elevate=elevate, revoke=revoke)
    with pytest.raises(BadInputError) as refused:
        await apply_configuration(TESTER, msp, file)
    line = next(number for number, text in enumerate(file.read_text().splitlines(), 1) if f"{purpose}:" in text)
    assert str(refused.value).startswith(f"{file}:{line}: tenant fabrikam, {purpose}: ")
    assert says in str(refused.value)
    assert "unmistakable" not in str(refused.value)
    assert await stored(msp) == {}


async def test_one_that_is_stored_is_not_tried_again(msp: App, tmp_path: Path, control: httpx.Client) -> None:
    file = file_with(tmp_path, elevate=(ELEVATE, "ELEVATE"), revoke=(REVOKE, "REVOKE"))
    await apply_configuration(TESTER, msp, file)
    assert (await stored(msp)).keys() == {"elevate", "revoke"}
    forget_us(control, "fabrikam")
    file_with(tmp_path, elevate=(ELEVATE, "ELEVATE"), revoke=(REVOKE, "REVOKE"), display_name="Changed")
    await apply_configuration(TESTER, msp, file)


async def test_one_may_be_stored_untried_while_microsoft_is_away(msp: App, tmp_path: Path) -> None:
    file = file_with(tmp_path, elevate=(ELEVATE, "ELEVATE"), revoke=(REVOKE, "WRONG"))
    await apply_configuration(TESTER, msp, file, unproven=True)
    assert (await stored(msp)).keys() == {"elevate", "revoke"}


async def test_a_tenant_without_registration_uses_the_msps_own_applications(msp: App, tmp_path: Path) -> None:
    file = file_with(tmp_path, elevate=(ELEVATE, "ELEVATE"), revoke=(REVOKE, "REVOKE"))
    await apply_configuration(TESTER, msp, file)
    content = yaml.safe_load(file.read_text())
    del content["tenants"][0]["elevate"], content["tenants"][0]["revoke"]
    file.write_text(yaml.safe_dump(content))
    await apply_configuration(TESTER, msp, file)
    assert await stored(msp) == {}, "a credential that is not used any more is not kept"
    async with App(msp.settings) as fresh:
        tenant = await fresh.directories.to_close(TenantId(FABRIKAM))
        assert (await tenant.organization.get()).id == FABRIKAM
        assert tenant.connection.client_id == REVOKE
