"""A configuration file with a mistake is refused as a whole, and the error names the line.

The file says who may enter which customer. Half of it would be a file that no administrator wrote; an error without a
line costs an hour, and one that quotes a secret leaks it.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.configuration_file import read
from entra_jit.ledger import configuration as configurations
from entra_jit.operations._configuration_file import read_configuration
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.policy.configuration import SecretSource
from models.errors import BadInputError
from models.marks import CANARY_NAME, EMERGENCY_NAMES, emergency_id
from models.messages import TenantId
from tests.actors import TESTER

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "msp.yaml"
IN_GROUP = "{technician_level: L2}}"
"""The rule of the example's group, which differs from what technicians have by its last bracket."""
CONTOSO = "c0c0c0c0-2222-4222-8222-000000000002"
SECRET = "unmistakable"


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
    """Where people look for it."""
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


EMPTY = "empty; write a value or remove the field"
MISTAKES = [
    ("max_hours: 8", "max_hours: PT200H", "max_hours", "from 10 s to 7 d"),
    ("hours: 4", "hours: four", "hours: four", "write hours (4, 1.5), 90m, 1h30 or PT90M"),
    ("hours: 4", "hours: 1:30", "hours: 1:30", "'1:30' is not a duration; write hours (4, 1.5), 90m, 1h30"),
    ("hours: 4", "hours: 010", "hours: 010", "'010' is not a duration"),
    ("hours: 4", "hours: 2026-13-45", "hours: 2026", "is not a duration"),
    ("hours: 4", "hours: 9", "hours: 9", "9 h exceeds max_hours, which is 8 h"),
    ("tenants:", "defaults: {hours: 9}\ntenants:", "defaults:", "9 h exceeds max_hours, which is 8 h"),
    ("tenants:", "defaults: {houres: 9}\ntenants:", "defaults:", "unknown field"),
    ("hours: 4", "houres: 4", "houres", "unknown field"),
    ("name: contoso", "name: Contoso!", "Contoso!", "use up to 63 of a-z, 0-9 and -"),
    (CONTOSO, "not-a-guid", "not-a-guid", "is not a GUID"),
    ("account_domain: contoso.onmicrosoft.com", "account_domain: contoso", "account_domain: c", "not a domain name"),
    ("account_domain: contoso.onmicrosoft.com", "account_domain: a..b-.com", "account_domain: a.", "not a domain name"),
    ("credential: auto", "credential: fax", "credential: fax", "not one of auto, temporary_access_pass, password"),
    ("credential: auto", "credential: [auto]", "credential: [auto]", "not a single value"),
    ("secret: {env: SANDBOX_ELEVATE_SECRET}", "secret: {}", "secret: {}", EMPTY),
    ("secret: {env: SANDBOX_ELEVATE_SECRET}", "secret: {env: A, file: B}", "{env: A", "one of env, file, stored"),
    ("secret: {env: SANDBOX_ELEVATE_SECRET}", "secret: SANDBOX", "secret: SANDBOX", "not a mapping of fields"),
    (
        "secret: {env: SANDBOX_ELEVATE_SECRET}",
        "federated_token_file: /x\n      secret: {env: SANDBOX_ELEVATE_SECRET}",
        "elevate: &elevate",
        "exactly one of secret, certificate, federated_token_file",
    ),
    ("display_name: Contoso", 'display_name: "a\\0b"', "display_name: ", "characters that do not show"),
    ("display_name: Contoso", 'display_name: "a\\u202eb"', "display_name: ", "characters that do not show"),
    ("display_name: Contoso", "display_name: " + "9" * 5000, "display_name: 999", "too long; at most 256 characters"),
    ("display_name: Contoso", "display_name:", "display_name:", EMPTY),
    ("display_name: Contoso", "display_name: ~", "display_name: ~", EMPTY),
    ("display_name: Contoso", "display_name: !!str x", "display_name: !!str", "write the value without a tag"),
    ("roles: [Helpdesk Administrator]", "roles: [Helpdesk Admin]", "Helpdesk Admin]", "neither a built-in"),
    ("roles: [Helpdesk Administrator]", "roles: [Guest User]", "Guest User", "held implicitly"),
    ("roles: [Helpdesk Administrator]", "roles: [Company Administrator]", "Company", "called Global Administrator"),
    ("roles: [Helpdesk Administrator]", "roles: []", "roles: []", EMPTY),
    ("roles: [Helpdesk Administrator]", "roles: Reports Reader", "roles: Reports Reader", "not a list"),
    ("roles: [Helpdesk Administrator]", "roles: [Reports Reader, Reports Reader]", "Reports Reader]", "stands twice"),
    (
        "security_groups: [Managed Service Operators]",
        "security_groups: [Managed Service Operator]",
        "security_groups: [Managed Service Operator]",
        "'Managed Service Operator' is not a security group of contoso",
    ),
    (
        "tenant: contoso\n    roles: [Exchange Administrator]",
        "roles: [Exchange Administrator]",
        "security_groups: [Managed Service Operators]",
        "'Managed Service Operators' is not a security group of fabrikam",
    ),
    (", roles: [Exchange Administrator]}", "}", "- {group: messaging, tenant", "list roles, security_groups or both"),
    ("tenant: contoso\n    roles", "tenant:\n    roles", "tenant:", EMPTY),
    ("{group: messaging, tenant: contoso", "{group: messaging, tenant: ", "{group: messaging, tenant", EMPTY),
    ("{group: messaging, tenant: contoso", "{group: messaging, tenant: null", "{group: messaging, tenant", EMPTY),
    ("00000000ee03}", "not-a-guid}", "not-a-guid", "is not a GUID"),
    (
        "      - {name: Managed Service Operators",
        "      - {name: Twin, id: c0c0c0c0-2222-4222-8222-00000000ee03}\n      - {name: Managed Service Operators",
        "- {name: Managed Service Operators",
        "another security group of contoso has the id",
    ),
    ("members: [robin]", "members: [robyn]", "members: [robyn]", "'robyn' is not a technician in this file"),
    ("members: [robin]", "members: [robin, robin]", "members: [robin, robin]", "'robin' stands twice"),
    ("{group: messaging, tenant", "{group: massaging, tenant", "massaging", "'massaging' is not a group in this file"),
    ("{group: messaging, tenant: contoso", "{group: messaging, tenant: consoto", "consoto", "'consoto' is not a"),
    ("name: robin", "name: alex", "", "another technician has the name 'alex', in line 33"),
    ("name: robin", f"name: {CANARY_NAME}", "", "belongs to the doctor's canary"),
    ("name: robin", f"name: {EMERGENCY_NAMES[emergency_id(1)]}", "", "or an emergency account"),
    (
        "account_domain: contoso",
        "emergency_accounts: 3\n    account_domain: contoso",
        "emergency_accounts: 3",
        "'3' is not one of 0, 1, 2",
    ),
    (
        "account_domain: contoso",
        "emergency_rotation_days: 0\n    account_domain: contoso",
        "emergency_rotation_days: 0",
        "is not a number of days from 1 to 365",
    ),
    ("0000000000a2", "0000000000a1", "", "another technician has the id"),
    (IN_GROUP, "{technician_levle: L2}}", "levle", "no technician has the attribute"),
    (IN_GROUP, "{technician_level: l2}}", "l2", "'l2' is written 'L2' at technicians"),
    (IN_GROUP, "{technician_level: {one_of: [L2, l1]}}}", "l1", "'l1' is written 'L1' at technicians"),
    (IN_GROUP, "{technician_level: {prefix: l}}}", "prefix", "'l' is written 'L1' at technicians"),
    (IN_GROUP, "{technician_level: {prefix: L, one_of: [L2]}}}", "one_of", "set exactly one of one_of, prefix"),
    (IN_GROUP, "{technician_level: {one_of: [L2, L2]}}}", "one_of", "'L2' stands twice"),
    (IN_GROUP, "{technician_level: {suffix: L}}}", "suffix", "unknown field"),
    (IN_GROUP, "{technician_level: {prefix: }}}", "prefix", EMPTY),
    (IN_GROUP, "{Level: L2}}", "{Level", "use up to 63 of a-z, 0-9 and _"),
    (IN_GROUP, "[L2]}", "[L2]", "not a mapping"),
    ("{technician_level: L2}", "{Technician-Level: L2}", "{Technician-Level", "use up to 63 of a-z, 0-9 and _"),
    ("name: messaging,", "name: all-technicians,", "all-technicians, members", "is built in"),
    ("max_hours: 8", "max_hours: 8\n    max_hours: 168", "max_hours: 168", "'max_hours' stands twice; first in line"),
    ("tenant: contoso, roles: [E", "tenant: contoso, roles: [R], roles: [E", "roles: [R]", "'roles' stands twice"),
    ("\ngroups:", "\ntechnicians:\n  - {name: sam}\n\ngroups:", "", "'technicians' stands twice; first in line"),
    ("revoke: &revoke", "revoke: &elevate", "revoke: &elevate", "&elevate stands twice"),
    ("  - name: fabrikam\n", "  - [fabrikam]\n  - name: fabrikam\n", "[fabrikam]", "not a mapping of fields"),
    ("tenants:", "tenants: [", "", "not YAML; check the indentation, brackets and quotes"),
    ("  - name: contoso", "  - name: contoso\n\tid: x", "\tid: x", "not YAML: a tab; indent with spaces"),
    ("display_name: Contoso", "display_name: Contoso: North", "Contoso: North", "not YAML: a colon that"),
    ("elevate: *elevate", "elevate: *elevat", "*elevat", "*elevat stands for nothing above it"),
    ("technicians:", "technician:", "technician:", "unknown field"),
    ("# A managed", "# A \u202emanaged", "", "the invisible character U+202E; remove it"),
]  # fmt: skip

LIBRARIES = ("YAML error", "mark", "scanning", "block", "Input should", "valid", "Value error", "pydantic", "tuple")
"""Words of the libraries that read files for us."""


@pytest.mark.parametrize(("old", "new", "where", "says"), MISTAKES, ids=[new[:60] for _, new, _, _ in MISTAKES])
async def test_each_mistake_has_its_line_and_says_what_is_allowed(
    tmp_path: Path, old: str, new: str, where: str, says: str
) -> None:
    text = example((old, new))
    file = tmp_path / "msp.yaml"
    file.write_text(text)
    with pytest.raises(BadInputError) as refused:
        read_configuration(file)
    sentences = str(refused.value).splitlines()
    told = [sentence for sentence in sentences if says in sentence]
    assert told, sentences
    assert all(sentence.startswith(f"{file}:") for sentence in sentences)
    assert not [words for words in LIBRARIES if words in str(refused.value)]
    if where:
        assert told[0].startswith(f"{file}:{line_of(text, where)}: "), sentences


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ":1: no configuration; write tenants, technicians, role_mappings"),
        (b"# nothing yet\n", ":1: no configuration"),
        (b"---\n", ": no configuration"),
        (b"{}", ":1: no configuration"),
        (b"tenants: 7", ":1: tenants: not a list"),
        (b"[]", ":1: no configuration"),
        (b"just text", ":1: no configuration"),
        (b"\xff\xfet\x00e\x00", ":1: the file is UTF-16; save it as UTF-8"),
        (b"t\x00e\x00n\x00", ":1: the file is UTF-16; save it as UTF-8"),
        ("# ok\r\n# K\xfcche\r\n".encode("latin-1"), ":2: the file is not UTF-8; save it as UTF-8"),
        (b"a: \x07", ":1: the invisible character U+0007; remove it"),
        (b"a: b\x00", ":1: the invisible character U+0000; remove it"),
        (b"&a [*a]", ":1: *a stands for nothing above it"),
        (b"{[a]: 1}", ":1: a key that is not text"),
        (b"{1: 2}", ":1: 1: unknown field"),
        (b"tenants:\n- {<<: [x]}", ":2: << merges mappings alone"),
        (b"a: !!python/object:os.system {}", ":1: the tag"),
        (b'a: "\\UFFFFFFFF"', ":1: not YAML"),
        (b"%YAML " + b"9" * 5000 + b"\n---\na: b", ":1: not YAML"),
        (b"a: b\n---\na: b", ":2: a second document"),
        (b"[" * 3000, ":1: nested more than 20 levels deep"),
        (b"{a: " * 3000, ":1: nested more than 20 levels deep"),
        (b"- " * 3000, ":1: nested more than 20 levels deep"),
        (b"# " * 6_000_000, "is larger than 10 MB"),
    ],
    ids=lambda part: repr(part[:30]),
)
def test_any_file_is_applied_or_refused_with_its_name(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "msp.yaml"
    file.write_bytes(content)
    with pytest.raises(BadInputError, match=str(file)) as refused:
        read_configuration(file)
    assert says in str(refused.value)


NEVER = SecretStr("not used")
FRAGMENTS = st.sampled_from(
    [
        *("tenants:", "technicians:", "groups:", "role_mappings:", "elevate: ", "attributes: ", "roles: ", "name: "),
        *(
            "\n",
            "  ",
            "- ",
            "{",
            "}",
            "[",
            "]",
            ": ",
            ",",
            "? ",
            "| ",
            "> ",
            '"',
            "'",
            "#",
            "\t",
            "\\",
            "---\n",
            "...\n",
        ),
        *("&a ", "*a", "<<: ", "!!float ", "%YAML 1.1\n", "2026-13-45", "1:30", "0x_", "~", "\0", "\u2028"),
    ]
)


@given(st.binary(max_size=60) | st.lists(FRAGMENTS, max_size=25).map(lambda parts: "".join(parts).encode()))
@settings(max_examples=300)
def test_no_file_ends_in_anything_but_sentences(content: bytes) -> None:
    """``display_name: 2026-13-45``, ``0x_`` and 3,000 brackets ended in tracebacks."""
    told = "msp.yaml:1: -"
    try:
        read(content, "msp.yaml", lambda _: NEVER)
    except BadInputError as error:
        told = str(error)
    assert all(re.match(r"msp\.yaml:[0-9]+: .", line) for line in told.splitlines())
    assert not [words for words in LIBRARIES if words in told]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    """References and secrets were reported once the rest was right: three runs for three mistakes."""
    file = tmp_path / "msp.yaml"
    text = example(
        ("hours: 4", "hours: four"),
        ("{env: SANDBOX_ELEVATE_SECRET}", "{env: NOT_SET_ANYWHERE}"),
        ("account_domain: fabrikam", "account_domain: -fabrikam"),
        ("members: [robin]", "members: [robyn]"),
        ("{group: messaging, tenant: contoso", "{group: messaging, tenant: consoto"),
    )
    file.write_text(text)
    with pytest.raises(BadInputError) as refused:
        read_configuration(file)
    wanted = ("hours: four", "elevate: &elevate", "account_domain: -fab", "members: [robyn]", "consoto")
    assert [line.split(": ")[0] for line in str(refused.value).splitlines()] == [
        f"{file}:{line_of(text, part)}" for part in wanted
    ]


def test_scalars_are_the_text_that_is_written(tmp_path: Path) -> None:
    """``level: 010`` was 8 and ``no`` was false: a group then had other members than the file says."""
    file = tmp_path / "msp.yaml"
    file.write_text(
        example(
            ("{technician_level: L2}", "{technician_level: 010, on_call: no, since: 2026-11-27}"),
            (IN_GROUP, "{technician_level: 010}}"),
            ("hours: 4", "hours: 1h30"),
            ("max_hours: 8", "max_hours: 150m"),
            ("fabrikam.onmicrosoft.com", "xn--bcher-kva.xn--p1ai"),
        )
    )
    found = read_configuration(file).configuration
    assert found.technicians[0].attributes == {"technician_level": "010", "on_call": "no", "since": "2026-11-27"}
    assert [rule.values for rule in found.groups[0].rules] == [("010",)]
    assert (found.tenants[0].hours, found.tenants[0].max_hours) == (timedelta(minutes=90), timedelta(minutes=150))
    assert found.tenants[1].account_domain == "xn--bcher-kva.xn--p1ai"


def test_a_merged_key_may_be_overridden(tmp_path: Path) -> None:
    file = tmp_path / "msp.yaml"
    file.write_text(
        example(
            ("elevate: *elevate", "elevate: {<<: *elevate, client_id: c0c0c0c0-2222-4222-8222-00000000ee03}"),
            (
                "revoke: *revoke",
                "revoke:\n      client_id: e1e7a7e0-0000-4000-8000-00000000e1e7\n      <<: [*revoke, *elevate]",
            ),
        )
    )
    _, fabrikam = read_configuration(file).configuration.tenants
    assert fabrikam.elevate is not None
    assert str(fabrikam.elevate.client_id).endswith("ee03")
    assert str(fabrikam.revoke.client_id).startswith("e1e7")
    assert fabrikam.revoke.secret == SecretSource("SANDBOX_REVOKE_SECRET", None)


@pytest.mark.parametrize("encoded", [b"\xef\xbb\xbf{}", b"{}".replace(b"\n", b"\r\n")], ids=["BOM", "CRLF"])
def test_marks_and_line_ends_of_windows_are_read(tmp_path: Path, encoded: bytes) -> None:
    file = tmp_path / "msp.yaml"
    file.write_bytes(encoded.replace(b"{}", example().replace("\n", "\r\n").encode()))
    assert len(read_configuration(file).configuration.tenants) == 2


async def test_a_mistake_changes_nothing(app: App, tmp_path: Path) -> None:
    file = tmp_path / "msp.yaml"
    file.write_text(yaml.safe_dump(example_without_groups()))
    await apply_configuration(TESTER, app, file, unproven=True)
    for changed in (
        example(("display_name: Contoso", "display_name: Changed"), ("roles: [Helpdesk Administrator]", "roles: [x]")),
        example(("display_name: Contoso", "display_name: Changed"), ("SANDBOX_REVOKE_SECRET", "NOT_SET_ANYWHERE")),
    ):
        file.write_text(changed)
        with pytest.raises(BadInputError):
            await apply_configuration(TESTER, app, file, unproven=True)
        async with app.ledger.transaction() as session:
            tenant = await configurations.tenant_by_name(session, "contoso")
        assert tenant is not None
        assert tenant.display_name == "Contoso"


@pytest.mark.parametrize(
    ("application", "says"),
    [
        ("secret: {env: NOT_SET_ANYWHERE}", "the environment variable NOT_SET_ANYWHERE is not set"),
        ("secret: {file: nowhere.txt}", "nowhere.txt cannot be read: No such file or directory"),
        ("secret: {file: empty.txt}", "empty.txt is empty"),
        ("secret: {file: utf16.txt}", "utf16.txt is not UTF-8; save it as UTF-8"),
        ("certificate: {file: secret.txt}", "must be a certificate, PEM"),
    ],
)
async def test_a_secret_that_is_not_there_is_named_and_none_is_quoted(
    app: App, tmp_path: Path, application: str, says: str
) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "utf16.txt").write_text(SECRET, encoding="utf-16")
    file = tmp_path / "msp.yaml"
    text = example(("secret: {env: SANDBOX_ELEVATE_SECRET}", application))
    file.write_text(text)
    with pytest.raises(BadInputError) as refused:
        await apply_configuration(TESTER, app, file, unproven=True)
    assert says in str(refused.value)
    assert str(refused.value).startswith(f"{file}:{line_of(text, 'elevate: &elevate')}: tenants.1.elevate: ")
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
    await apply_configuration(TESTER, app, file, unproven=True)

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


def test_a_tenant_needs_no_application_where_the_settings_have_the_msps_own(tmp_path: Path) -> None:
    file = tmp_path / "msp.yaml"
    file.write_text(example(("    elevate: *elevate\n    revoke: *revoke\n", "")))
    with pytest.raises(BadInputError, match=r"tenants\.2: elevate is missing"):
        read_configuration(file)
    contoso, fabrikam = read_configuration(file, has_own=True).configuration.tenants
    assert [purpose for purpose, _ in contoso.applications()] == ["elevate", "revoke"]
    assert list(fabrikam.applications()) == []
    file.write_text(example(("    elevate: *elevate\n    revoke: *revoke\n", "    revoke: *revoke\n")))
    with pytest.raises(BadInputError, match=r"tenants\.2: elevate is missing"):
        read_configuration(file, has_own=True)
