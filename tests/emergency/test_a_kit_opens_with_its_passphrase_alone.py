"""A kit that does not open on the worst day is worse than none, and so is one that opens for its finder."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from entra_jit import emergency_kit
from entra_jit.emergency_kit import Kit, KitError, Passkey, open_kit, read_header, seal_kit

PASSPHRASE = "correct horse battery staple"
ANOTHER = "another holder's passphrase"
MADE = datetime(2026, 11, 27, 12, tzinfo=UTC)
PASSKEY = Passkey(
    tenant="contoso",
    tenant_id="c0c0c0c0-2222-4222-8222-000000000002",
    number=2,
    account_name="msp-entra-jit-emergency-2@contoso.onmicrosoft.com",
    credential="e3e46e0c-0000-4000-8000-00000000000c",
    credential_id="Y3JlZGVudGlhbA",
    private_key="dW5taXN0YWthYmxl",
    rp_id="login.microsoft.com",
    user_handle="dXNlcg",
)


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return seal_kit(Kit(MADE, (PASSKEY,)), [PASSPHRASE, ANOTHER])


@pytest.mark.parametrize("passphrase", [PASSPHRASE, ANOTHER])
def test_it_opens_with_the_passphrase_of_each_holder(sealed: bytes, passphrase: str) -> None:
    assert open_kit(sealed, passphrase) == Kit(MADE, (PASSKEY,))


@pytest.mark.parametrize("passphrase", ["", PASSPHRASE[:-1], PASSPHRASE.upper(), f"{PASSPHRASE} "])
def test_it_opens_with_no_other(sealed: bytes, passphrase: str) -> None:
    with pytest.raises(KitError, match="passphrase is wrong"):
        open_kit(sealed, passphrase)


def test_what_was_changed_does_not_open(sealed: bytes) -> None:
    document = json.loads(sealed)
    [_, other] = document["holders"]
    for name, value in (
        ("made_at", "2027-01-01T00:00:00+00:00"),
        ("credentials", []),
        ("nonce", "AAAAAAAAAAAAAAAA"),
        ("holders", [other]),
        ("holders", [{"salt": "?", "nonce": "?", "key": "?"}]),
    ):
        with pytest.raises(KitError, match="or the file was changed"):
            open_kit(json.dumps({**document, name: value}).encode(), PASSPHRASE)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"sealed": 1}', b'{"format": "x", "sealed": ""}'])
def test_what_is_no_kit_is_told(content: bytes) -> None:
    for read in (read_header, lambda one: open_kit(one, PASSPHRASE)):
        with pytest.raises(KitError, match="no emergency kit"):
            read(content)


def test_one_that_would_take_all_memory_is_no_kit(sealed: bytes) -> None:
    document = json.loads(sealed)
    document["scrypt"]["n"] = 2**30
    with pytest.raises(KitError, match="no emergency kit"):
        open_kit(json.dumps(document).encode(), PASSPHRASE)


def test_without_the_passphrase_it_tells_dates_and_handles_alone(sealed: bytes) -> None:
    assert read_header(sealed) == (MADE, (PASSKEY.credential,))
    for secret in (PASSKEY.private_key, PASSKEY.account_name, PASSKEY.tenant, PASSKEY.credential_id):
        assert secret.encode() not in sealed
    assert PASSKEY.private_key not in repr(Kit(MADE, (PASSKEY,)))


def test_a_passphrase_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(KitError, match="at least 16"):
        seal_kit(Kit(MADE, ()), [PASSPHRASE, "short"])
    for passphrases in ([], [PASSPHRASE, PASSPHRASE]):
        with pytest.raises(KitError, match="of their own"):
            seal_kit(Kit(MADE, ()), passphrases)


def test_the_program_opens_it_without_the_rest_of_this_project(sealed: bytes, tmp_path: Path) -> None:
    """It is copied beside the kit: one file, far from server and database."""
    program, kit = tmp_path / "emergency_kit.py", tmp_path / "contoso.kit"
    program.write_bytes(Path(emergency_kit.__file__).read_bytes())
    kit.write_bytes(sealed)

    def run(passphrase: str) -> subprocess.CompletedProcess[str]:
        # Isolated: neither this checkout nor its environment is found.
        command = [sys.executable, "-I", str(program), str(kit), "--list"]
        said = f"{passphrase}\n"
        return subprocess.run(command, check=False, input=said, capture_output=True, text=True, cwd=tmp_path, env={})

    opened = run(PASSPHRASE)
    assert (opened.returncode, opened.stdout) == (0, f"contoso  {PASSKEY.account_name}\n"), opened.stderr
    refused = run("another passphrase")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "passphrase is wrong" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_it_imports_nothing_of_ours() -> None:
    lines = Path(emergency_kit.__file__).read_text().splitlines()
    imported = {line.split()[1].split(".")[0] for line in lines if line.strip().startswith(("import ", "from "))}
    assert imported.isdisjoint({"entra_jit", "models", "activities", "workflows", "sandbox"})
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}
