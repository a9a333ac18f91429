"""Docker restarts what has ended and leaves what is unhealthy: a worker that hangs would close nothing, for ever."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from entra_jit import health
from entra_jit.health import KILLED_AFTER_SECONDS, UNHEALTHY_AFTER_SECONDS, beat, check


@pytest.mark.parametrize(
    ("age", "healthy", "lives"),
    [(0.0, True, True), (UNHEALTHY_AFTER_SECONDS + 30, False, True), (KILLED_AFTER_SECONDS + 30, False, False)],
)
def test_it_is_ended_once_it_was_silent_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: float, healthy: bool, lives: bool
) -> None:
    monkeypatch.setattr(health, "LOOKS_AGAIN_AFTER_SECONDS", 0)
    program = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    try:
        file = tmp_path / "ready"
        file.write_text(f"{program.pid}\n")
        os.utime(file, (time.time() - age,) * 2)
        assert check(file) is healthy
        if lives:
            assert program.poll() is None
        else:
            assert program.wait(60) < 0
    finally:
        program.kill()
        program.wait()


def test_what_has_not_begun_is_left_alone(tmp_path: Path) -> None:
    assert not check(tmp_path / "ready")


async def test_a_program_says_that_it_lives(tmp_path: Path) -> None:
    file = tmp_path / "ready"
    beating = asyncio.create_task(beat(file))
    await asyncio.sleep(0)
    beating.cancel()
    assert file.read_text() == f"{os.getpid()}\n"
    await beat(None)
