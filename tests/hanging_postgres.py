"""A PostgreSQL that hangs: it takes connections, breaks none off, and answers nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def postgres_hangs(database_url: str) -> Iterator[None]:
    """Meanwhile every process of the server stands still, as on a machine whose disk is gone."""
    with psycopg.connect(database_url) as connection:
        server = _parent(connection.info.backend_pid)
    stopped = [server]
    os.kill(server, signal.SIGSTOP)  # first, so that it starts no other
    try:
        for child in _children(server):
            os.kill(child, signal.SIGSTOP)
            stopped.append(child)
        yield
    finally:
        for process in reversed(stopped):
            os.kill(process, signal.SIGCONT)


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def _children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
