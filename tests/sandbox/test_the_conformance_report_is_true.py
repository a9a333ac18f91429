"""A report that says "served" of what is not there would be believed: it is held against the routes and the service."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from sandbox.conformance import coverage, sections
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


def test_the_command_prints_each_operation_and_the_sum() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "sandbox", "conformance"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f"{len(list(coverage()))} operations: " in run.stdout.splitlines()[-1]
    assert "not served  POST /subscriptions" in run.stdout
