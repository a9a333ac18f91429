"""A sandbox as a child process, for tests: started, found, stopped or killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PATIENCE_SECONDS = 240.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Addresses:
    """What ``sandbox.json`` says."""

    graph_url: str
    login_url: str
    control_url: str
    ca_file: str
    pid: int
    port: int


class DidNotStartError(Exception):
    """The child ended, or stayed silent, before it was ready; carries what it wrote."""


@dataclass(slots=True)
class Child:
    """A running sandbox."""

    process: subprocess.Popen[str]
    addresses: Addresses

    def stop(self) -> int:
        """Ask it to leave and wait; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_PATIENCE_SECONDS)

    def kill(self) -> None:
        """End it without warning, as a crash would."""
        self.process.kill()
        self.process.wait(_PATIENCE_SECONDS)


def start(state: Path, *arguments: str) -> Child:
    """Start a sandbox on this state directory and wait until it is ready. Raises ``DidNotStartError``."""
    ready = state / "sandbox.json"
    command = [sys.executable, "-m", "sandbox", "--state-dir", str(state), *arguments]
    root = Path(__file__).parent.parent
    process = subprocess.Popen(  # noqa: S603 - our own module
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        # The file of an earlier run is there at once; only this process's own counts.
        if (addresses := _read(ready)) and addresses.pid == process.pid:
            return Child(process, addresses)
        time.sleep(_POLL_SECONDS)
    process.kill()
    output, _ = process.communicate()
    raise DidNotStartError(output.strip())


@contextmanager
def running(state: Path, *arguments: str) -> Iterator[Addresses]:
    """A sandbox for the length of a ``with`` block."""
    child = start(state, *arguments)
    try:
        yield child.addresses
    finally:
        if child.process.poll() is None:
            child.stop()


def _read(ready: Path) -> Addresses | None:
    try:
        return Addresses(**json.loads(ready.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
