"""What the documentation points at exists.

A reviewer who follows a claim to a test that was renamed, or to a page that has moved, believes the next claim less.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import typer

import starter
from models.alarms import AlarmKind
from models.messages import FailureType
from policy.failures import FailureClass

ROOT = Path(__file__).parent.parent
COMMANDS = "".join(file.read_text() for file in ROOT.glob("commands/*.py"))
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
TESTS = {file.stem for file in ROOT.glob("tests/**/test_*.py")} | {
    name for file in ROOT.glob("tests/**/test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
}


def anchors(page: Path) -> set[str]:
    """What a forge makes of the page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_it_is_there(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http:", "https:")):
            continue
        path, _, anchor = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target
    named = set(re.findall(r"\b(test_\w+)", re.sub(r"```python.*?```", "", text, flags=re.DOTALL)))
    assert named <= TESTS, named - TESTS
    for command in re.findall(r"starter\.py ([a-z][a-z-]+)", text):
        assert re.search(rf'def {command.replace("-", "_")}\(|name="{command}"', COMMANDS), command


@pytest.mark.parametrize("known", [*AlarmKind, *FailureType, *FailureClass])
def test_whatever_wakes_somebody_up_has_a_row_with_what_to_type(known: StrEnum) -> None:
    rows = [line.split("|")[1:-1] for line in RUNBOOK.splitlines() if line.startswith("| ")]
    about = [row for row in rows if known.value in re.findall(r"[\w-]+(?: [a-z]+)*", f"{row[0]} {row[1]}")]
    assert any(re.search(r"`(starter\.py|temporal) [a-z]", "|".join(row)) for row in about), known


def options(command: Any, name: str = "") -> dict[str, set[str]]:
    """By command, as it is typed: its options."""
    if below := getattr(command, "commands", None):
        return {k: v for sub, one in below.items() for k, v in options(one, f"{name} {sub}".strip()).items()}
    return {name: {option for parameter in command.params for option in parameter.opts} | {"--help"}}


def test_every_option_that_is_named_is_there() -> None:
    known = options(typer.main.get_command(starter.app))
    for page in PAGES:
        for typed in re.findall(r"starter\.py (?:--state-dir \S+ )?((?:[^`\n|\\]|\\\n)+)", page.read_text()):
            command = next((name for name in known if f"{typed} ".startswith(f"{name} ")), None)
            named = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", typed.partition("#")[0]))
            assert not named or (command and named <= known[command]), (page.name, typed)


def test_every_safety_rule_names_the_tests_that_hold_it() -> None:
    rows = [line.split("|") for line in (ROOT / "docs" / "safety.md").read_text().splitlines()]
    rules = {cells[1].strip(): cells[3] for cells in rows if len(cells) == 5 and cells[1].strip().isdecimal()}
    assert sorted(rules) == [str(number) for number in range(1, 9)]
    assert all(re.search(r"\btest_\w+", holders) for holders in rules.values())
