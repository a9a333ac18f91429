"""What a worker knows before its first step, so that it can close whatever becomes of the ledger.

It reads every tenant's credentials and every account of ours. Where the ledger is away it starts with the sealed file
that it has kept: then it can close the grants in it, and nothing can be opened until the ledger is back.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.on_time.sealed_cache import SealedCache
from entra_jit.ledger import due
from entra_jit.ledger.database import LedgerUnavailableError

KEEP_EVERY = timedelta(seconds=5)

_log = structlog.get_logger("worker")


class KnownBeforehand:
    """The tenants' credentials and our accounts, from the ledger or from the sealed file."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._cache = SealedCache(backend.settings.sealed_cache, backend.keyring)
        self._is_read = False

    async def read(self) -> int:
        """Read everything. Gives the number of tenants.

        Raises ``LedgerUnavailableError`` where the ledger is away and no file says what could be closed.
        """
        try:
            return await self._read()
        except LedgerUnavailableError as error:
            grants, connections = self._cache.read()
            if not connections:
                raise
            self._backend.directories.adopt(connections)
            for grant in grants:
                self._backend.registered.learn(grant.tenant_id, grant.object_id)
            _log.warning("started without the ledger; nothing is opened", grants=len(grants), because=str(error))
            return len(connections)

    async def keep(self) -> None:
        """Keep the file up to date, until cancelled."""
        while True:
            try:
                await self.keep_once()
            except Exception as error:
                _log.warning("sealed cache not renewed", error=describe_error(error))
            await asyncio.sleep(KEEP_EVERY.total_seconds())

    async def keep_once(self) -> None:
        """Renew the file from the ledger. Raises ``LedgerUnavailableError``; the file then stays as it is."""
        if not self._is_read:
            await self._read()
        async with self._backend.ledger.transaction(within=self._backend.ledger.closing_waits) as session:
            grants = await due.live(session)
        await asyncio.to_thread(self._cache.keep, grants, self._backend.directories.revoking)

    async def _read(self) -> int:
        tenants = await self._backend.directories.read_all()
        await self._backend.registered.read_all()
        self._is_read = True
        return tenants
