"""A process id that can be trusted: in a file that is locked for as long as the process lives."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class PidFile:
    """A file with a process id, locked for as long as that process or anything it started lives.

    The lock is inherited, not owned: it goes when the last holder goes, even by SIGKILL. A process id in a locked
    file therefore never belongs to another process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def lock(self) -> int | None:
        """The descriptor of the locked file, to be handed to the holder; None while another one holds it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def is_held(self) -> bool:
        """Whether the holder lives. Only a ``lock`` in the same instant is disturbed, so ``lock`` tries twice."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def write(self, descriptor: int, pid: int) -> None:
        """Put ``pid`` into the file that ``descriptor`` has locked."""
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(pid).encode(), 0)

    def pid(self) -> int | None:
        """The process id in the file; worth something only while the file is held."""
        text = self.path.read_text() if self.path.exists() else ""
        return int(text) if text else None
