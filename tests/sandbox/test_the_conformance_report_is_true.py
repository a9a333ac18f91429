"""A report that says "served" of what is not there would be believed: it is held against the routes and the service."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import httpx
import pytest

from sandbox.conformance import coverage, evidence, sections
from sandbox.graph.options import table
from sandbox.graph.service import served_operations

ROOT = Path(__file__).parents[2]
SIGN_IN = [operation for section in sections() for operation in section.sign_in]


def test_every_route_is_listed_once_and_every_listed_operation_is_routed() -> None:
    routed = Counter(f"{one.method} {one.path}" for one in served_operations())
    listed = Counter(operation for section in sections() for operation in section.graph)
    assert listed == routed


def test_what_is_called_missing_is_missing() -> None:
    routed = {f"{one.method} {one.path}" for one in served_operations()}
    missing = {one.operation for one in coverage() if one.state == "not served"}
    assert missing
    assert not missing & routed
    assert all(one.lacks for one in coverage() if one.state != "served")


@pytest.mark.parametrize("operation", SIGN_IN)
def test_the_sign_in_service_answers_what_is_listed(login: httpx.Client, operation: str) -> None:
    method, path = operation.split()
    path = path.replace("{tenant}", "contoso.com").replace("{user}", "adele@contoso.com")
    assert login.request(method, path).status_code not in {404, 405}


def test_the_page_in_the_documentation_is_what_the_command_prints() -> None:
    """After a change: ``python -m sandbox conformance > docs/conformance.md``."""
    run = subprocess.run(
        [sys.executable, "-m", "sandbox", "conformance"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    assert "| `POST /subscriptions` | not served |" in run.stdout


def test_the_documentation_counts_what_rests_on_documentation_alone() -> None:
    found = evidence()
    operations, refusals = found.by_documentation_alone()
    said = (ROOT / "docs" / "real-tenant.md").read_text(encoding="utf-8").split()
    expected = (
        f"{operations} of {len(found.operations)} operations and {refusals} of {len(found.refusals)} refusals rest"
    )
    assert expected in " ".join(said)


def test_each_read_is_in_one_row_of_the_options_and_each_row_has_a_read() -> None:
    reads = {one.path for one in served_operations() if one.method == "GET"}
    rows = {path: [name for name, row in table().items() if row.has(path)] for path in reads}
    assert {path: names for path, names in rows.items() if len(names) != 1} == {}
    patterns = {pattern for row in table().values() for pattern in (*row.reads, *row.except_)}
    assert {pattern for pattern in patterns if not any(fnmatchcase(path, pattern) for path in reads)} == set()
