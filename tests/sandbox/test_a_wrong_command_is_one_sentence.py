"""A mistake in a seed file or a command is one sentence that names it; a traceback would not say where to look."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.seed import SeedError, load_seed
from tests.patience import PATIENCE_SECONDS
from tests.sandbox.seeded import CONTOSO

ONE = {"id": CONTOSO, "slug": "one", "name": "One", "domains": [{"name": "one.onmicrosoft.com", "initial": True}]}
KING = {"upn": "a@one.onmicrosoft.com", "name": "A", "roles": ["King"]}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("tenants: [", "is not YAML"),
        ({}, "a seed has either tenants or rows"),
        ({"tenants": [ONE | {"colour": "red"}]}, "tenants.0.colour: extra inputs are not permitted"),
        ({"tenants": [ONE | {"id": "x"}]}, "tenants.0.id: badly formed hexadecimal UUID string"),
        ({"tenants": [ONE | {"domains": []}]}, "tenant one needs exactly one initial domain"),
        ({"tenants": [ONE, ONE]}, "two tenants have the same slug or id"),
        ({"tenants": [ONE | {"users": [{"upn": "a@two.com", "name": "A"}]}]}, "user a@two.com is under no"),
        ({"tenants": [ONE | {"users": [KING]}]}, "there is no directory role 'King'"),
        ({"tenants": [ONE | {"applications": ["none"]}]}, "tenant one consents to an unknown application: none"),
    ],
)  # fmt: skip
def test_a_wrong_seed_is_one_sentence(tmp_path: Path, content: object, sentence: str) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(SeedError) as refused:
        load_seed(seed)
    assert sentence in str(refused.value)
    assert str(seed) in str(refused.value)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)


def test_the_command_ends_with_two_and_without_a_traceback(tmp_path: Path) -> None:
    ended = run("--state-dir", str(tmp_path / "state"), "--seed", str(tmp_path / "none.yaml"))
    assert ended.returncode == 2
    assert ended.stderr == f"sandbox: cannot read the seed {tmp_path}/none.yaml: No such file or directory\n"


def test_the_help_says_what_it_is() -> None:
    shown = run("--help")
    assert shown.returncode == 0
    assert "simulated Microsoft Entra tenant" in shown.stdout
    assert "--state-dir" in shown.stdout
