"""Every test that a document names as the holder of a promise is there.

A promise whose test was renamed or removed is held by nobody, and the page goes on saying that it is.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMED = re.compile(r"`(tests/[\w/]+\.py)?(?:::(test_\w+))?`")


def named_tests(document: Path) -> list[tuple[str, str | None]]:
    """File and function of each, where ``::name`` alone goes on with the file before it."""
    found, file = [], ""
    for match in NAMED.finditer(document.read_text()):
        file = match.group(1) or file
        if match.group(1) or match.group(2):
            found.append((file, match.group(2)))
    return found


@pytest.mark.parametrize("document", ["safety.md"])
def test_what_holds_it_exists(document: str) -> None:
    named = named_tests(ROOT / "docs" / document)
    assert len(named) > 8
    for file, function in named:
        path = ROOT / file
        assert path.is_file(), file
        assert function is None or re.search(rf"^(async )?def {function}\(", path.read_text(), re.MULTILINE), function


def test_all_eight_rules_are_held() -> None:
    rows = [line.split("|") for line in (ROOT / "docs" / "safety.md").read_text().splitlines()]
    rules = {cells[1].strip(): cells[3] for cells in rows if len(cells) == 5 and cells[1].strip().isdecimal()}
    assert sorted(rules) == [str(number) for number in range(1, 9)]
    assert all("tests/" in holders for holders in rules.values())
