"""What the documentation points at exists.

A reviewer who follows a claim to a test that was renamed, or to a page that has moved, believes the next claim less.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMMANDS = "".join(file.read_text() for file in ROOT.glob("commands/*.py"))
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
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


def test_every_safety_rule_names_the_tests_that_hold_it() -> None:
    rows = [line.split("|") for line in (ROOT / "docs" / "safety.md").read_text().splitlines()]
    rules = {cells[1].strip(): cells[3] for cells in rows if len(cells) == 5 and cells[1].strip().isdecimal()}
    assert sorted(rules) == [str(number) for number in range(1, 9)]
    assert all(re.search(r"\btest_\w+", holders) for holders in rules.values())
