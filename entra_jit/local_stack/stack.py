"""The whole stack: what is started in which order, restarted alone, watched, and stopped."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from entra_jit.local_stack.addresses import (
    DEFAULT_STATE_DIR,
    Part,
    Ports,
    StackAddresses,
    ensure_keys,
    hidden_host,
    ledger_environment,
    portal_url,
    program_environment,
    reserve_ports,
    stack_pid_file,
)
from entra_jit.local_stack.child import Child, StackError, is_listening
from entra_jit.local_stack.postgres import Postgres
from entra_jit.local_stack.sandbox import Sandbox
from entra_jit.local_stack.temporal import NAMESPACE, Temporal

logger = logging.getLogger(__name__)

UI_GUARD = Path(__file__).with_name("ui_guard.py")
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
LASTED_SECONDS = 60.0
"""A part that ran for so long is started again at once."""

WATCH_SECONDS = 0.2
WORKER_GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Programs:
    """The programs of ours that the stack runs, from the root of the repository. Tests put others in their place."""

    sandbox: tuple[str, ...] = (sys.executable, "-m", "sandbox")
    """Is given ``--state-dir`` and ``--port``; writes ``sandbox.json`` when it serves."""
    migrate: tuple[str, ...] = (sys.executable, "starter.py", "migrate")
    worker: tuple[str, ...] = (sys.executable, "worker.py")
    """Writes the file that ENTRA_JIT_READY_FILE names when it polls."""
    closer: tuple[str, ...] = (sys.executable, "-m", "entra_jit.closer")
    """Writes the same file when it looks."""
    portal: tuple[str, ...] = (sys.executable, "portal.py")
    """Listens at ENTRA_JIT_PORTAL_ADDRESS."""


class LocalStack:
    """PostgreSQL, Temporal, sandbox, worker, closer and portal as children of this process; all state in one directory.

    ``async with LocalStack(state_dir) as stack`` or ``start`` and ``stop``. One stack a directory at a time; any number
    side by side in different ones. Must be used from the thread that runs the event loop until ``stop``: on Linux the
    children end with the thread that started them.
    """

    def __init__(
        self, state_dir: Path = DEFAULT_STATE_DIR, *, worker: bool = True, programs: Programs = Programs()
    ) -> None:
        """``worker``: with the programs of ours, worker, closer and portal, or only what they run on."""
        self.state_dir = state_dir.resolve()
        self._with_worker = worker
        self._programs = programs
        self._postgres = Postgres(self.state_dir)
        self._temporal = Temporal(self.state_dir)
        self._ui_guard = Child("temporal-ui", self.state_dir)
        self._ui_host = hidden_host()
        self._sandbox = Sandbox(self.state_dir, programs.sandbox)
        self._migrate = Child("migrate", self.state_dir)
        self._worker = Child("worker", self.state_dir)
        self._closer = Child("closer", self.state_dir)
        self._portal = Child("portal", self.state_dir)
        self._ports = Ports()
        self._addresses: StackAddresses | None = None
        self._lock: int | None = None

    @property
    def addresses(self) -> StackAddresses:
        """Where everything is. Raises StackError unless the stack is up."""
        if self._addresses is None:
            raise StackError("the local stack is not up")
        return self._addresses

    @property
    def unguarded_ui(self) -> str:
        """Temporal's own UI, with every button, for failure drills."""
        return f"http://{self._ui_host}:{self._ports.temporal_ui}"

    def environment(self) -> dict[str, str]:
        """The variables that a process of ours needs to use this stack. Raises StackError unless it is up."""
        return self.addresses.environment()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> StackAddresses:
        """Start everything, as much of it at once as can be, and return when the worker polls.

        Picks up what an earlier run left in the directory, also one that was killed. Raises StackError, after stopping
        what had been started, if a part does not come up or another process has the directory in use.
        """
        await self._occupy()
        try:
            await self._start_parts()
        except BaseException:
            await self.stop()
            raise
        return self.addresses

    async def stop(self) -> None:
        """Stop everything, worker and closer first so that they can finish what they do. Idempotent."""
        if self._lock is None:
            return
        (self.state_dir / "stack.json").unlink(missing_ok=True)
        await asyncio.gather(
            self._worker.stop(grace_seconds=WORKER_GRACE_SECONDS), self._closer.stop(grace_seconds=WORKER_GRACE_SECONDS)
        )
        await asyncio.gather(
            self._portal.stop(grace_seconds=1),
            self._migrate.stop(grace_seconds=0),
            self._sandbox.stop(),
            self._ui_guard.stop(grace_seconds=1),
            self._temporal.stop(),
            self._postgres.stop(),
        )
        self._postgres.forget_sockets()
        self._addresses = None
        os.close(self._lock)
        self._lock = None

    async def serve(self, while_up: Callable[[StackAddresses], AbstractAsyncContextManager[None]]) -> None:
        """Start, enter ``while_up``, and stay up until SIGINT or SIGTERM; parts that die meanwhile are started again.

        ``while_up`` is left, by a ``CancelledError``, while everything still runs. Returns after a clean stop. Raises
        StackError if the start fails, and what ``while_up`` raises.
        """
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None  # noqa: S101  # this is a coroutine, so something runs it
        asked = asyncio.Event()

        def leave() -> None:
            if not asked.is_set():  # a second Ctrl-C must not interrupt the stopping
                asked.set()
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, leave)
        try:
            async with self, while_up(self.addresses):
                await self._watch()
        except asyncio.CancelledError:
            if not asked.is_set() or task.uncancel():
                raise
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def stop_postgres(self) -> None:
        """Take the ledger away, for failure drills."""
        await self._postgres.stop()

    async def start_postgres(self) -> None:
        """Bring the ledger back, at the same address."""
        await self._postgres.start()
        self._publish()

    async def restart_temporal(self) -> None:
        """Stop Temporal and start it again at the same address; grants and their timers outlive it."""
        await self._temporal.stop()
        await self._start_temporal()

    async def lose_temporal(self) -> None:
        """Take Temporal's database away, for failure drills: at the same address, it knows no grant any more."""
        await self._temporal.stop()
        self._temporal.forget()
        await self._start_temporal()

    async def restart_sandbox(self) -> None:
        """Stop the sandbox and start it again at the same address, with the same directory contents."""
        await self._sandbox.stop()
        await self._start_sandbox()

    async def kill_worker(self, with_signal: signal.Signals = signal.SIGKILL) -> None:
        """Send the worker a signal and wait until it has ended."""
        await self._worker.kill(with_signal)
        self._publish()

    async def start_worker(self) -> None:
        """Start the worker and wait until it polls."""
        await self._start_until_ready(self._worker, self._programs.worker)

    async def kill_closer(self) -> None:
        """End the closer at once, for failure drills."""
        await self._closer.kill(signal.SIGKILL)
        self._publish()

    async def start_closer(self) -> None:
        """Start the closer and wait until it looks."""
        await self._start_until_ready(self._closer, self._programs.closer)

    async def _start_until_ready(self, child: Child, program: tuple[str, ...]) -> None:
        ready_file = self.state_dir / "run" / f"{child.name}.ready"
        ready_file.unlink(missing_ok=True)

        async def is_ready(_pid: int) -> bool:
            return ready_file.exists()

        files = {
            "ENTRA_JIT_READY_FILE": str(ready_file),
            "ENTRA_JIT_SEALED_CACHE": str(self.state_dir / f"{child.name}.sealed"),
        }
        await child.start(program, {**program_environment(), **self.environment(), **files}, ready=is_ready)
        self._publish()

    async def _occupy(self) -> None:
        """Make this process the one whose stack lives in the directory, and lay the directory out."""
        if self._lock is not None:
            raise StackError("this local stack is already up")
        self.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("run", "logs", "sandbox"):
            (self.state_dir / name).mkdir(mode=0o700, exist_ok=True)
        pid_file = stack_pid_file(self.state_dir)
        if (lock := pid_file.lock()) is None:
            await asyncio.sleep(0.1)  # a process that checks whether the stack is up holds the lock for a moment
            lock = pid_file.lock()
        if lock is None:
            raise StackError(
                f"a local stack is already running in {self.state_dir} (process {pid_file.pid()}); "
                "stop that one or choose another directory with --state-dir"
            )
        self._lock = lock
        pid_file.write(lock, os.getpid())
        (self.state_dir / "stack.json").unlink(missing_ok=True)
        ensure_keys(self.state_dir)

    async def _start_parts(self) -> None:
        # Before the ports are looked at: what a killed stack left behind may still listen on them.
        await asyncio.gather(*(child.end_leftover() for child, _ in self._parts().values()))
        self._ports = reserve_ports(self.state_dir)
        await _at_once(self._start_ledger(), self._start_temporal(), self._start_ui_guard(), self._start_sandbox())
        said = self._sandbox.announcement
        self._addresses = StackAddresses(
            temporal=self._temporal.address,
            temporal_ui=f"http://127.0.0.1:{self._ports.temporal_ui_guard}",
            namespace=NAMESPACE,
            database_url=self._postgres.url,
            graph_url=said.graph_url,
            login_url=said.login_url,
            ca_file=said.ca_file,
            sandbox_control=said.control_url,
            portal_url=portal_url(self._ports.portal),
            pids=self._pids(),
            state_dir=self.state_dir,
        )
        if self._with_worker:
            await _at_once(self.start_worker(), self.start_closer(), self._start_portal())
        self._publish()

    async def _start_ledger(self) -> None:
        await self._postgres.start()
        environment = {**program_environment(), **ledger_environment(self.state_dir, self._postgres.url)}
        await self._migrate.run(self._programs.migrate, environment)

    async def _start_temporal(self) -> None:
        await self._temporal.start(port=self._ports.temporal, ui_port=self._ports.temporal_ui, ui_host=self._ui_host)
        self._publish()

    async def _start_ui_guard(self) -> None:
        port = self._ports.temporal_ui_guard

        async def listens(_pid: int) -> bool:
            return await is_listening(port)

        # By its path, and without that path's folder among those that are imported from.
        command = (sys.executable, "-P", UI_GUARD, "--port", str(port), "--ui", self.unguarded_ui)
        await self._ui_guard.start(command, program_environment(), ready=listens)
        self._publish()

    async def _start_sandbox(self) -> None:
        await self._sandbox.start(port=self._ports.sandbox)
        self._publish()

    async def _start_portal(self) -> None:
        async def listens(_pid: int) -> bool:
            return await is_listening(self._ports.portal)

        await self._portal.start(
            self._programs.portal, {**program_environment(), **self.addresses.portal_environment()}, ready=listens
        )
        self._publish()

    def _parts(self) -> dict[Part, tuple[Child, Callable[[], Awaitable[None]]]]:
        """Each part with what starts it again."""
        return {
            "postgres": (self._postgres.child, self.start_postgres),
            "temporal": (self._temporal.child, self._start_temporal),
            "temporal-ui": (self._ui_guard, self._start_ui_guard),
            "sandbox": (self._sandbox.child, self._start_sandbox),
            "worker": (self._worker, self.start_worker),
            "closer": (self._closer, self.start_closer),
            "portal": (self._portal, self._start_portal),
        }

    def _pids(self) -> dict[Part, int]:
        return {part: child.pid for part, (child, _) in self._parts().items() if child.pid is not None}

    def _publish(self) -> None:
        """Bring ``stack.json`` up to date, once there is one to write: it stands only for a stack that is up."""
        if self._addresses is not None:
            self._addresses = self._addresses.model_copy(update={"pids": self._pids()})
            self._addresses.publish()

    async def _watch(self) -> None:
        """Start again what ends unasked, for ever."""
        async with asyncio.TaskGroup() as together:
            for part, (child, start) in self._parts().items():
                together.create_task(self._keep_running(part, child, start))

    async def _keep_running(self, part: Part, child: Child, start: Callable[[], Awaitable[None]]) -> None:
        """Start one part again whenever it has ended, later each time where it did not last.

        One that cannot start ends none of the others: worker and closer close while PostgreSQL is away.
        """
        pause, began = FIRST_PAUSE_SECONDS, time.monotonic()
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if not child.died:
                continue
            pause = FIRST_PAUSE_SECONDS if time.monotonic() - began > LASTED_SECONDS else pause
            ending = child.ending
            await asyncio.sleep(pause)
            pause, began = min(2 * pause, LONGEST_PAUSE_SECONDS), time.monotonic()
            try:
                await start()
            except StackError as error:
                logger.error("%s; trying again in %g seconds", error, pause)  # noqa: TRY400  # it tells all
            except Exception:  # what prepares a part fails in its own ways, as on a disk that is full
                logger.exception("%s cannot be started; trying again in %g seconds", part, pause)
            else:
                logger.warning("%s %s and was started again; its log is %s", part, ending, child.log)


async def _at_once(*starts: Coroutine[Any, Any, None]) -> None:
    """All of them side by side; the first that fails stops the others. Raises StackError."""
    try:
        async with asyncio.TaskGroup() as together:
            for start in starts:
                together.create_task(start)
    except* StackError as errors:
        raise errors.exceptions[0] from None
