"""The guard in front of Temporal's UI as it is shipped, run by a real nginx."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from entra_jit.local_stack.addresses import reserve_ports

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
    guard = subprocess.Popen([nginx, "-c", configuration, "-g", f"{user}daemon off;"])
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                httpx.get(address, trust_env=False, timeout=20)
                break
            except httpx.ConnectError:
                assert guard.poll() is None
        yield address
    finally:
        guard.terminate()
        guard.wait()
