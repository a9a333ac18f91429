"""What the documentation points at exists.

A reviewer who follows a claim to a test that was renamed, or to a page that has moved, believes the next claim less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import typer

import starter
from entra_jit.graph import operations
from entra_jit.graph.operations import Operation
from entra_jit.policy.failures import FailureClass
from models.alarms import AlarmKind
from models.messages import FailureType

ROOT = Path(__file__).parent.parent
COMMANDS_PAGE = ROOT / "docs" / "commands.md"
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
TESTS = {file.stem for file in ROOT.glob("tests/**/test_*.py")} | {
    name for file in ROOT.glob("tests/**/test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
}

each_page = pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])


def options(command: Any, name: str = "") -> dict[str, set[str]]:
    """By command, as it is typed: its options."""
    if below := getattr(command, "commands", None):
        return {k: v for sub, one in below.items() for k, v in options(one, f"{name} {sub}".strip()).items()}
    return {name: {option for parameter in command.params for option in parameter.opts} | {"--help"}}


COMMANDS = options(typer.main.get_command(starter.cli))


def command_of(typed: str) -> str | None:
    """Which command it is that is typed."""
    return next((name for name in COMMANDS if f"{typed} ".startswith(f"{name} ")), None)


def typed_on(page: Path) -> Iterator[str]:
    """What the page has people type behind ``starter.py``; the table of commands leaves that away."""
    text = page.read_text()
    yield from re.findall(r"starter\.py (?:--state-dir \S+ )?((?:[^`\n|\\]|\\\n)+)", text)
    if page == COMMANDS_PAGE:
        for cell in re.findall(r"^\| (`.+?) \|", text.replace(r"\|", "or"), re.MULTILINE):
            yield from re.findall(r"`(.+?)`", cell)


def anchors(page: Path) -> set[str]:
    """What a forge makes of the page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
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


@each_page
def test_a_test_is_in_the_file_that_is_named_with_it(page: Path) -> None:
    file = ROOT
    for path, name in re.findall(r"`(tests/[\w/]+\.py)?(?:::(test_\w+))?`", page.read_text()):
        file = ROOT / path if path else file
        assert not path or file.exists(), path
        assert not name or f"def {name}(" in file.read_text(), f"{file}::{name}"


@each_page
def test_what_is_to_be_typed_can_be_typed(page: Path) -> None:
    for typed in typed_on(page):
        if typed[0].isalpha():
            command = command_of(typed)
            assert command, typed
            named = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", typed.partition("#")[0]))
            assert named <= COMMANDS[command], typed


def test_every_permission_that_a_refusal_names_is_in_the_table_of_permissions() -> None:
    """A refusal named one that no document tells to grant, beside the larger one that was granted already."""
    needed = {name for one in vars(operations).values() if isinstance(one, Operation) for name in one.needs.permissions}
    rows = re.findall(r"^\| `([\w.-]+)` \|", (ROOT / "docs/real-tenant.md").read_text(), re.MULTILINE)
    assert needed <= set(rows), needed - set(rows)


def test_every_command_is_in_the_table_of_commands() -> None:
    assert COMMANDS.keys() <= {command_of(typed) for typed in typed_on(COMMANDS_PAGE)}


@pytest.mark.parametrize("known", [*AlarmKind, *FailureType, *FailureClass])
def test_whatever_wakes_somebody_up_has_a_row_with_what_to_type(known: StrEnum) -> None:
    rows = [line.split("|")[1:-1] for line in RUNBOOK.splitlines() if line.startswith("| ")]
    about = [row for row in rows if known.value in re.findall(r"[\w-]+(?: [a-z]+)*", f"{row[0]} {row[1]}")]
    assert any(re.search(r"`(starter\.py|temporal) [a-z]", "|".join(row)) for row in about), known


def test_the_runbook_knows_what_workflows_fail_with() -> None:
    raised = {name for file in ROOT.glob("workflows/*.py") for name in re.findall(r'type="(\w+)"', file.read_text())}
    assert raised
    assert raised <= set(re.findall(r"`(\w+)`", RUNBOOK))


def test_every_safety_rule_and_every_failure_of_others_names_the_tests_that_hold_it() -> None:
    rows = [line.split("|")[1:-1] for line in (ROOT / "docs" / "safety.md").read_text().splitlines() if "|" in line]
    rules = [cells for cells in rows if cells[0].strip().isdecimal()]
    assert [int(cells[0]) for cells in rules] == list(range(1, 9))
    others = [cells for cells in rows if len(cells) == 2 and cells[1].strip() not in {"held by", "---"}]
    assert others
    for *_, holders in (*rules, *others):
        assert re.search(r"\btest_\w+", holders), holders
