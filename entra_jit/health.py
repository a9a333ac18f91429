"""Whether the program of this container still lives: its health check, which ends a program that hangs.

Docker restarts what has ended, and leaves what is unhealthy as it is (docker/compose issue 4826). So a program of ours
writes a file while its event loop turns; where the file grows old, the program is killed, and Docker starts it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

BEATS_EVERY_SECONDS = 10.0
UNHEALTHY_AFTER_SECONDS = 60.0
KILLED_AFTER_SECONDS = 180.0
LOOKS_AGAIN_AFTER_SECONDS = 15.0
"""A machine that was suspended wakes with an old file and a program that is about to write it."""


async def beat(file: Path | None) -> None:
    """Say that this process lives, until cancelled. None: no one wants to know."""
    while file is not None:
        _write(file)
        await asyncio.sleep(BEATS_EVERY_SECONDS)


def _write(file: Path) -> None:
    with contextlib.suppress(OSError):  # a disk that is full ends no program
        file.write_text(f"{os.getpid()}\n")


def check(file: Path) -> bool:
    """Whether the program that writes ``file`` lives. One that has been silent for long is killed.

    Where there is no file yet the program is starting: it is not healthy, and is left alone.
    """
    if _age(file) <= UNHEALTHY_AFTER_SECONDS:
        return True
    if file.exists() and _age(file) > KILLED_AFTER_SECONDS:
        time.sleep(LOOKS_AGAIN_AFTER_SECONDS)
        if _age(file) > KILLED_AFTER_SECONDS:
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.kill(int(file.read_text()), signal.SIGKILL)
    return False


def _age(file: Path) -> float:
    try:
        return time.time() - file.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


if __name__ == "__main__":
    sys.exit(0 if check(Path(sys.argv[1])) else 1)
