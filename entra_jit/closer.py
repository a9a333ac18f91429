"""The closer: disables the account of each grant at the instant of its expiry. It needs no Temporal.

Any number may run beside one another. It takes what is due in one statement of the ledger's, disables what that has
returned, and leaves stripping and proof to the workflow. While PostgreSQL is away it goes by what it has read, and by
the signed marks in the directories; a sealed file lets it start like that. It holds revoking credentials alone, and
opens nothing.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import Iterable
from datetime import timedelta
from functools import cached_property

import structlog

from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.directories import Directories
from entra_jit.accounts.ledger_watch import LOOK_EVERY, LedgerWatch
from entra_jit.accounts.on_time.disabling import Disabling, Taken
from entra_jit.accounts.on_time.sealed_cache import SealedCache
from entra_jit.accounts.reconciliation.overdue import OverdueReconciliation
from entra_jit.ledger import due
from entra_jit.ledger.clock import LedgerClock
from entra_jit.ledger.database import LedgerUnavailableError
from entra_jit.ledger.due import Ahead, Due
from entra_jit.policy.punctuality import AHEAD
from entra_jit.program import run_program
from entra_jit.settings import Settings
from models.messages import TenantId

LOOKS_EVERY = timedelta(seconds=1)
REMEMBERS_EVERY = timedelta(seconds=10)
SAYS_SO_EVERY = timedelta(seconds=5)
SIGNED_IN = timedelta(minutes=1)
"""How often credentials and tokens are looked after that are needed once PostgreSQL is away."""

SIGNED_IN_LATELY = timedelta(seconds=3)
"""The same of a tenant where something is about to be due. A credential counts as fresh for five seconds."""

GRACE = timedelta(seconds=10)
"""How long what is under way may take after the closer was told to stop."""

NOTHING_TAKEN_SECONDS = 0.05
"""Where something is due and another process holds its row."""

_log = structlog.get_logger("closer")


class RevokingBackend(Backend):
    """A ``Backend`` that reads no elevating credential."""

    @property
    def ledger_clock(self) -> LedgerClock:
        """Its clock, which is PostgreSQL's."""
        assert isinstance(self.clock, LedgerClock)  # noqa: S101  # none is given another
        return self.clock

    @cached_property
    def directories(self) -> Directories:
        """The customers' tenants, as the revoking application sees them."""
        own = self.own_applications
        return Directories(self.graph, self.ledger, self.keyring, self.revoking, own, revoking_only=True)


class Closer:
    """Looks at the ledger, takes what is due, and has it disabled."""

    def __init__(self, backend: RevokingBackend) -> None:
        self.disabling = Disabling(backend, backend.ledger_clock)
        self._backend = backend
        self._ledger = backend.ledger
        self._clock = backend.ledger_clock
        self._id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        self._ready_file = backend.settings.ready_file
        self._most = 4 * backend.settings.closer_calls_at_once
        self._cache = SealedCache(backend.settings.sealed_cache, backend.keyring)
        grants, connections = self._cache.read()
        backend.directories.adopt(connections)
        self._live = {grant.request_id: grant for grant in grants}
        self._remembered_at: float | None = None
        self._said_at: float | None = None
        self._signed_in: dict[TenantId, float] = {}
        self._signing_in: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Close what is due, until cancelled."""
        beside = [asyncio.create_task(work) for work in (self.disabling.record(), self.disabling.check())]
        try:
            while True:
                if self._ready_file:
                    self._ready_file.write_text(f"{os.getpid()}\n")
                await self._once()
        finally:
            for task in beside:
                task.cancel()

    async def _once(self) -> None:
        try:
            await self._look_and_close()
        except LedgerUnavailableError as error:
            _log.warning("going by the marks", because=str(error))
            await self.close_without_ledger()
            await asyncio.sleep(LOOKS_EVERY.total_seconds())
        except Exception:
            _log.exception("a look failed")
            await asyncio.sleep(LOOKS_EVERY.total_seconds())

    async def _look_and_close(self) -> None:
        ahead = await self.look()
        first = min(ahead.first.values(), default=None)
        wait = first - self._clock() if first is not None else LOOKS_EVERY
        await asyncio.sleep(min(max(wait, timedelta(0)), LOOKS_EVERY).total_seconds())
        if wait < LOOKS_EVERY and not await self.take():
            await asyncio.sleep(NOTHING_TAKEN_SECONDS)

    async def keep(self) -> None:
        """Keep what the next start needs, should PostgreSQL be away then."""
        await asyncio.to_thread(self._cache.keep, list(self._live.values()), self._backend.directories.revoking)

    async def look(self) -> Ahead:
        """What is due within two seconds; signs in to its tenants meanwhile. Raises ``LedgerUnavailableError``."""
        async with self._ledger.transaction(within=self._ledger.closing_waits) as session:
            ahead = await due.ahead(session, AHEAD, self._backend.lease)
            self._clock.hear(ahead.at)
            if self._is_time(self._remembered_at, REMEMBERS_EVERY):
                self._live = {grant.request_id: grant for grant in await due.live(session)}
                self._remembered_at = self._clock.steady()
            if is_time_to_say := self._is_time(self._said_at, SAYS_SO_EVERY):
                await due.say_alive(session, self._id, self.disabling.lateness)
                self._said_at = self._clock.steady()
        if is_time_to_say:
            await self.keep()
        self._sign_in_to(ahead.first, SIGNED_IN_LATELY)
        self._sign_in_to({grant.tenant_id for grant in self._live.values()}, SIGNED_IN)
        return ahead

    async def take(self) -> int:
        """Take what is due and have it disabled. Gives the number. Raises ``LedgerUnavailableError``."""
        most, asked = self._most - self.disabling.under_way, self._clock.steady()
        if most <= 0:
            return 0
        async with self._ledger.transaction(within=self._ledger.closing_waits) as session:
            grants = await due.take(session, self._backend.lease, most)
        self.disabling.send(Taken(self._backend, self._clock, grants, asked))
        for grant in grants:
            self._live.pop(grant.request_id, None)
        return len(grants)

    async def close_without_ledger(self) -> None:
        """Close what is past by the newest mark of ledger and directory, of the grants that were last read.

        A lease later than with the ledger: the mark of an extension at the last moment may still be on its way.
        """
        over = self._clock() - self._backend.lease
        await asyncio.gather(*(self._close(grant) for grant in list(self._live.values()) if grant.expires_at <= over))

    async def _close(self, grant: Due) -> None:
        try:
            later = await self.disabling.close_if_past(grant)
        except Exception as error:
            _log.warning("not disabled", request_id=grant.request_id, error=describe_error(error))
            return
        self._live.pop(grant.request_id, None)
        if later is not None:
            self._live[later.request_id] = later

    def _is_time(self, last: float | None, every: timedelta) -> bool:
        return last is None or self._clock.steady() - last >= every.total_seconds()

    def _sign_in_to(self, tenants: Iterable[TenantId], within: timedelta) -> None:
        """Read credentials and sign in beforehand, where that was not done lately. What fails is done when needed."""
        for tenant_id in tenants:
            if self._is_time(self._signed_in.get(tenant_id), within):
                self._signed_in[tenant_id] = self._clock.steady()
                task = asyncio.create_task(self._sign_in(tenant_id))
                self._signing_in.add(task)
                task.add_done_callback(self._signing_in.discard)

    async def _sign_in(self, tenant_id: TenantId) -> None:
        try:
            await (await self._backend.directories.to_close(tenant_id)).sign_in()
        except Exception as error:
            _log.warning("not signed in", tenant_id=tenant_id, error=describe_error(error))


async def run(settings: Settings) -> None:
    """Close what is due until SIGTERM or SIGINT; then finish what is under way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with RevokingBackend(settings) as backend:
        closer = Closer(backend)
        tasks = [
            asyncio.create_task(work) for work in (closer.run(), OverdueReconciliation(backend).run(), _watch(backend))
        ]
        _log.info("closing on time")
        await stop.wait()
        _log.info("stopping")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await closer.disabling.finish(GRACE)


async def _watch(backend: Backend) -> None:
    """Tell what the ledger alone shows to be wrong, until cancelled: there may be no worker that does."""
    watch = LedgerWatch(backend)
    while True:
        try:
            await watch.look()
        except Exception as error:
            _log.warning("not looked", error=describe_error(error))
        await asyncio.sleep(LOOK_EVERY.total_seconds())


if __name__ == "__main__":
    sys.exit(run_program(run))
