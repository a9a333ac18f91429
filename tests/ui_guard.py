"""The guards in front of Temporal's UI: the shipped one, run by a real nginx, and the one of ``make up``."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from entra_jit.local_stack.addresses import reserve_ports
from entra_jit.local_stack.stack import UI_GUARD
from tests.patience import PATIENCE_SECONDS

CONFIGURATION = Path(__file__).parent.parent / "deploy" / "temporal-ui-guard.conf"


@contextlib.contextmanager
def ui_guard(directory: Path, ui: str) -> Iterator[str]:
    """The address of a guard in front of the ``host:port`` of a UI. Skips the test where there is no nginx."""
    if (nginx := shutil.which("nginx")) is None:
        pytest.skip("there is no nginx to run the guard with")
    directory.mkdir(exist_ok=True)
    port = reserve_ports(directory).temporal_ui
    configuration = directory / "guard.conf"
    configuration.write_text(
        re.sub(r"\blisten 8080\b", f"listen 127.0.0.1:{port}", CONFIGURATION.read_text())
        .replace("temporal-ui:8080", ui)
        .replace("/tmp/", f"{directory}/")  # noqa: S108  # what the configuration says
    )
    # As root, nginx would give its worker to a user who may not enter pytest's directories.
    user = "user root; " if Path.home() == Path("/root") else ""
    with _running([nginx, "-c", str(configuration), "-g", f"{user}daemon off;"], port) as address:
        yield address


@contextlib.contextmanager
def embedded_guard(directory: Path, ui: str) -> Iterator[str]:
    """The address of the guard that ``make up`` runs, in front of the ``host:port`` of a UI."""
    directory.mkdir(exist_ok=True)
    port = reserve_ports(directory).temporal_ui_guard
    command = [sys.executable, "-P", str(UI_GUARD), "--port", str(port), "--ui", f"http://{ui}"]
    with _running(command, port) as address:
        yield address


@contextlib.contextmanager
def _running(command: list[str], port: int) -> Iterator[str]:
    guard = subprocess.Popen(command)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(address, guard)
        yield address
    finally:
        guard.terminate()
        guard.wait()


def _wait_until_it_answers(address: str, guard: subprocess.Popen[bytes]) -> None:
    while guard.poll() is None:
        with contextlib.suppress(httpx.ConnectError):
            httpx.get(address, trust_env=False, timeout=PATIENCE_SECONDS)
            return
        time.sleep(0.02)
    raise AssertionError("the guard did not start")
