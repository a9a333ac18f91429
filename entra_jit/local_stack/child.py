"""One child process of the stack: started on a leash, logged to a file, watched until ready, stopped for certain."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from entra_jit.local_stack.pid_file import PidFile
from models.errors import UnreachableError

LEASH = Path(__file__).with_name("leash.py")
POLL_SECONDS = 0.02
LOG_LINES_IN_ERRORS = 15


class StackError(UnreachableError):
    """The local stack cannot start or go on; the sentence names the part and, where there is one, its log."""


class Child:
    """A program that runs while the stack does.

    ``stop_signal`` asks it to leave; ``orphan_signal`` is what the kernel sends it when the stack is killed.
    """

    def __init__(
        self,
        name: str,
        state_dir: Path,
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        orphan_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.name = name
        self.log = state_dir / "logs" / f"{name}.log"
        self._pid_file = PidFile(state_dir / "run" / f"{name}.pid")
        self._stop_signal = stop_signal
        self._orphan_signal = orphan_signal
        self._process: asyncio.subprocess.Process | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        """Its process id, None when it does not run."""
        return self._process.pid if self._process and self._process.returncode is None else None

    @property
    def died(self) -> bool:
        """Whether it ended without being asked to."""
        return self._process is not None and self._process.returncode is not None

    async def start(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        *,
        ready: Callable[[int], Awaitable[bool]],
        owner: tuple[int, int] | None = None,
        timeout_seconds: float = 60,
    ) -> None:
        """Start ``command`` and wait until ``ready(pid)``; as user and group ``owner`` if given.

        Raises StackError, with the last lines of its log, if it ends or ``timeout_seconds`` pass before that.
        """
        process = await self._spawn(command, environment, owner)
        deadline = time.monotonic() + timeout_seconds
        while not await ready(process.pid):
            if process.returncode is not None:
                raise StackError(self._explain(f"stopped while starting ({_ending(process.returncode)})"))
            if time.monotonic() > deadline:
                raise StackError(self._explain(f"was not ready after {timeout_seconds:.0f} seconds"))
            await asyncio.sleep(POLL_SECONDS)

    async def run(
        self, command: Sequence[str | Path], environment: Mapping[str, str], *, timeout_seconds: float = 60
    ) -> None:
        """Run ``command`` to its end. Raises StackError unless it succeeds within ``timeout_seconds``."""
        process = await self._spawn(command, environment, None)
        try:
            status = await asyncio.wait_for(process.wait(), timeout_seconds)
        except TimeoutError:
            raise StackError(self._explain(f"did not finish within {timeout_seconds:.0f} seconds")) from None
        if status != 0:
            raise StackError(self._explain(f"failed ({_ending(status)})"))
        self._process = None

    async def stop(self, *, grace_seconds: float) -> None:
        """Ask it to leave, make it after ``grace_seconds``; returns when it and all it started are gone. Idempotent."""
        process, self._process = self._process, None
        if process and process.returncode is None:
            process.send_signal(self._stop_signal)
            try:
                await asyncio.wait_for(process.wait(), grace_seconds)
            except TimeoutError:
                _kill_group(process.pid)
                await process.wait()
        await self._all_gone(seconds=5)

    async def kill(self, with_signal: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal without further ado, for failure drills, and wait until it has ended."""
        process, self._process = self._process, None
        if process and process.returncode is None:
            process.send_signal(with_signal)
            await process.wait()

    @property
    def ending(self) -> str:
        """How it ended: ``ended (SIGKILL)``."""
        status = self._process.returncode if self._process else None
        return f"ended ({'unknown' if status is None else _ending(status)})"

    async def end_leftover(self) -> None:
        """End what a killed stack left behind under this name, if anything. Raises StackError if it will not go."""
        await self._all_gone(seconds=2)  # on Linux it is on its way out already
        pid = self._pid_file.pid()
        if pid is None or not self._pid_file.is_held():
            return
        _kill_group(pid)
        await self._all_gone(seconds=5)
        if self._pid_file.is_held():
            raise StackError(f"{self.name} of an earlier run is still alive and cannot be stopped (process {pid})")

    async def _spawn(
        self, command: Sequence[str | Path], environment: Mapping[str, str], owner: tuple[int, int] | None
    ) -> asyncio.subprocess.Process:
        await self.end_leftover()
        if (lock := self._pid_file.lock()) is None:
            raise StackError(f"{self.name} is already running")
        identity = f"{owner[0]}:{owner[1]}" if owner else ""
        leash = (sys.executable, "-I", "-S", LEASH, str(os.getpid()), str(int(self._orphan_signal)), identity)
        try:
            with self.log.open("ab") as log:
                self._log_start = log.tell()
                self._process = await asyncio.create_subprocess_exec(
                    *leash,
                    *command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=Path(__file__).parents[2],
                    env=environment,
                    pass_fds=(lock,),
                    umask=0o077,
                    start_new_session=True,  # a terminal's Ctrl-C is for the stack, which stops its parts in order
                )
            self._pid_file.write(lock, self._process.pid)
        finally:
            os.close(lock)  # from here on the child alone holds it
        return self._process

    async def _all_gone(self, *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._pid_file.is_held() and time.monotonic() < deadline:  # noqa: ASYNC110  # another process's event
            await asyncio.sleep(POLL_SECONDS)

    def _explain(self, what: str) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").splitlines()
        tail = "\n".join(f"  {line}" for line in lines[-LOG_LINES_IN_ERRORS:]) or "  (its log is empty)"
        return f"{self.name} {what}; the end of {self.log}:\n{tail}"


async def is_listening(port: int) -> bool:
    """Whether something takes connections on this port of 127.0.0.1."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _kill_group(pid: int) -> None:
    """SIGKILL to the process group that ``pid`` leads."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _ending(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"status {status}"
