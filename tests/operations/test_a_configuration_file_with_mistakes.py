"""A configuration file with a mistake is refused as a whole, and the error names the line.

The file says who may enter which customer. Half of it would be a file that no administrator wrote; an error without a
line costs an hour, and one that quotes a secret leaks it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.ledger import configuration as configurations
from entra_jit.ledger.schema import upgrade
from entra_jit.local_stack.postgres import Postgres
from entra_jit.operations.apply_configuration import apply_configuration, read_configuration
from entra_jit.settings import Settings
from models.errors import BadInputError
from models.messages import TenantId
from tests.actors import TESTER

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "msp.yaml"
CONTOSO = "c0c0c0c0-2222-4222-8222-000000000002"
KEYS = "k0:" + "A" * 43 + "="
SECRET = "unmistakable"


@pytest.fixture(scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    """A deployment with an empty ledger."""
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


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the example names."""
    monkeypatch.setenv("SANDBOX_ELEVATE_SECRET", SECRET)
    monkeypatch.setenv("SANDBOX_REVOKE_SECRET", SECRET)


def example(*changes: tuple[str, str]) -> str:
    """The example with some of its text replaced."""
    text = EXAMPLE.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def example_without_groups() -> dict[str, Any]:
    """The example, as far as it can be applied without reaching its tenants."""
    content: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    for entry in (*content["tenants"], *content["role_mappings"]):
        entry.pop("security_groups", None)
    return content


def line_of(text: str, part: str) -> int:
    """Where somebody would look for it."""
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


MISTAKES = [
    ("max_hours: 8", "max_hours: PT200H", "max_hours", "from 10 s to 7 d"),
    ("hours: 4", "hours: four", "hours: four", "write hours (4, 1.5), 90m, 1h30 or PT90M"),
    ("hours: 4", "hours: 9", "name: contoso", "hours exceeds max_hours"),
    ("hours: 4", "houres: 4", "houres", "unknown field"),
    ("name: contoso", "name: Contoso!", "Contoso!", "pattern"),
    (CONTOSO, "not-a-guid", "not-a-guid", "UUID"),
    ("account_domain: contoso.onmicrosoft.com", "account_domain: contoso", "account_domain: contoso", "pattern"),
    ("credential: auto", "credential: fax", "credential: fax", "'auto', 'temporary_access_pass' or 'password'"),
    ("secret: {env: SANDBOX_ELEVATE_SECRET}", "secret: {}", "secret: {}", "set exactly one of env, file"),
    (
        "secret: {env: SANDBOX_ELEVATE_SECRET}",
        "federated_token_file: /x\n      secret: {env: SANDBOX_ELEVATE_SECRET}",
        "elevate: &elevate",
        "exactly one of secret, certificate, federated_token_file",
    ),
    ("roles: [Helpdesk Administrator]", "roles: [Helpdesk Admin]", "Helpdesk Admin]", "neither a built-in"),
    ("roles: [Helpdesk Administrator]", "roles: [Guest User]", "Guest User", "held implicitly"),
    ("roles: [Helpdesk Administrator]", "roles: []", "roles: []", "at least 1"),
    (
        "security_groups: [Managed Service Operators]",
        "security_groups: [Managed Service Operator]",
        "",
        "'Managed Service Operator', which contoso does not list",
    ),
    (
        "tenant: contoso\n    roles: [Exchange Administrator]",
        "roles: [Exchange Administrator]",
        "",
        "'Managed Service Operators', which fabrikam does not list",
    ),
    ("security_groups: [Managed Service Operators]", "security_groups: []", "security_groups: []", "at least 1"),
    (", roles: [Exchange Administrator]}", "}", "- {group: messaging, tenant", "list roles, security_groups or both"),
    ("00000000ee03}", "not-a-guid}", "not-a-guid", "UUID"),
    (
        "      - {name: Managed Service Operators",
        "      - {name: Twin, id: c0c0c0c0-2222-4222-8222-00000000ee03}\n      - {name: Managed Service Operators",
        "- name: contoso",
        "two security groups have the id",
    ),
    ("members: [robin]", "members: [robyn]", "", "lists 'robyn', who is not a technician in this file"),
    ("{group: messaging, tenant", "{group: massaging, tenant", "", "'massaging', which is not in this file"),
    ("{group: messaging, tenant: contoso", "{group: messaging, tenant: consoto", "", "'consoto', which is not in this"),
    ("name: robin", "name: alex", "", "two technicians have the name 'alex'"),
    ("0000000000a2", "0000000000a1", "", "two technicians have the id"),
    ("technician_level, value: L2}", "technician_level}", "- {name: level-2", "set both attribute and value"),
    ("name: messaging,", "name: all-technicians,", "all-technicians, members", "is built in"),
    ("tenants:", "tenants: [", "", "not YAML"),
    ("technicians:", "technician:", "technician:", "unknown field"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "where", "says"), MISTAKES, ids=[new for _, new, _, _ in MISTAKES])
async def test_each_mistake_has_its_line_and_says_what_is_allowed(
    tmp_path: Path, old: str, new: str, where: str, says: str
) -> None:
    text = example((old, new))
    file = tmp_path / "msp.yaml"
    file.write_text(text)
    with pytest.raises(BadInputError) as refused:
        read_configuration(file)
    sentences = str(refused.value).splitlines()
    assert any(says in sentence for sentence in sentences), sentences
    assert all(sentence.startswith(f"{file}:") for sentence in sentences)
    if where:
        assert any(sentence.startswith(f"{file}:{line_of(text, where)}: ") for sentence in sentences), sentences


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"tenants: 7", "tuple"),
        (b"[]", "Configuration"),
        (b"just text", "Configuration"),
        (b"\xff\xfe", "not text"),
        (b"a: \x07", "not text"),
        (b"&a [*a]", ":"),
        (b"{[a]: 1}", ":"),
        (b"{1: 2}", ":"),
        (b"a: !!python/object:os.system {}", "not YAML"),
    ],
)
def test_any_file_is_applied_or_refused_with_its_name(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "msp.yaml"
    file.write_bytes(content)
    with pytest.raises(BadInputError, match=str(file)) as refused:
        read_configuration(file)
    assert says in str(refused.value)


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "msp.yaml"
    file.write_text(example(("hours: 4", "hours: four"), ("credential: auto", "credential: fax")))
    with pytest.raises(BadInputError) as refused:
        read_configuration(file)
    assert len(str(refused.value).splitlines()) == 2


async def test_a_mistake_changes_nothing(app: App, tmp_path: Path) -> None:
    file = tmp_path / "msp.yaml"
    file.write_text(yaml.safe_dump(example_without_groups()))
    await apply_configuration(TESTER, app, file)
    for changed in (
        example(("display_name: Contoso", "display_name: Changed"), ("roles: [Helpdesk Administrator]", "roles: [x]")),
        example(("display_name: Contoso", "display_name: Changed"), ("SANDBOX_REVOKE_SECRET", "NOT_SET_ANYWHERE")),
    ):
        file.write_text(changed)
        with pytest.raises(BadInputError):
            await apply_configuration(TESTER, app, file)
        async with app.ledger.transaction() as session:
            tenant = await configurations.tenant_by_name(session, "contoso")
        assert tenant is not None
        assert tenant.display_name == "Contoso"


@pytest.mark.parametrize(
    ("application", "says"),
    [
        ("secret: {env: NOT_SET_ANYWHERE}", "the environment variable NOT_SET_ANYWHERE is not set"),
        ("secret: {file: nowhere.txt}", "nowhere.txt cannot be read: No such file or directory"),
        ("certificate: {file: secret.txt}", "tenant contoso, elevate: "),
    ],
)
async def test_a_secret_that_is_not_there_is_named_and_none_is_quoted(
    app: App, tmp_path: Path, application: str, says: str
) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    file = tmp_path / "msp.yaml"
    text = example(("secret: {env: SANDBOX_ELEVATE_SECRET}", application))
    file.write_text(text)
    with pytest.raises(BadInputError) as refused:
        await apply_configuration(TESTER, app, file)
    assert says in str(refused.value)
    assert str(refused.value).startswith(f"{file}:{line_of(text, 'elevate: &elevate')}: ")
    assert SECRET not in str(refused.value)


async def test_secrets_come_from_environment_and_file_certificates_from_pem_and_tokens_stay_where_they_are(
    app: App, tmp_path: Path
) -> None:
    authority = trustme.CA()
    identity = authority.issue_cert("entra-jit.example")
    pem = identity.private_key_pem.bytes() + identity.cert_chain_pems[0].bytes()
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "secret.txt").write_text(f"{SECRET} in a file\n")
    content = example_without_groups()
    client_id = content["tenants"][0]["elevate"]["client_id"]
    content["tenants"][0]["elevate"] = {"client_id": client_id, "certificate": {"file": "key.pem"}}
    content["tenants"][0]["revoke"] = {"client_id": client_id, "secret": {"file": "secret.txt"}}
    content["tenants"][1]["elevate"] = {"client_id": client_id, "federated_token_file": "/var/run/token"}
    del content["tenants"][1]["revoke"]
    file = tmp_path / "msp.yaml"
    file.write_text(yaml.safe_dump(content))
    await apply_configuration(TESTER, app, file)

    async with app.ledger.transaction() as session:
        contoso = await configurations.connection_secrets(session, app.keyring, TenantId(CONTOSO))
        fabrikam = await configurations.connection_secrets(
            session, app.keyring, TenantId("fab0fab0-3333-4333-8333-000000000003")
        )
    assert {purpose: kind for purpose, (_, kind, _) in contoso.items()} == {
        "elevate": "certificate",
        "revoke": "secret",
    }
    assert contoso["elevate"][2].get_secret_value() == pem.decode().strip()
    assert contoso["revoke"][2].get_secret_value() == f"{SECRET} in a file"
    assert {kind for _, kind, _ in fabrikam.values()} == {"federated"}
    assert fabrikam["revoke"][2].get_secret_value() == "/var/run/token"
