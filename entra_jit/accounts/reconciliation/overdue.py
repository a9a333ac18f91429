"""Reconciling what was not reconciled in time, so that losing Temporal costs punctuality and nothing else.

The closer does so. With Temporal there, its schedule comes first and nothing is overdue.
"""

from __future__ import annotations

import asyncio
import random

import structlog

from entra_jit.accounts.attempts import describe_error
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.reconciliation.reconcile_tenant import TenantReconciliation
from entra_jit.ledger import reconciliation
from models.messages import TenantReport

AT_ONCE = 8
"""How many tenants. It leaves most connections to what is due meanwhile."""

_log = structlog.get_logger("reconciliation")


class OverdueReconciliation:
    """Looks for such tenants, and reconciles them."""

    def __init__(self, backend: Backend) -> None:
        every = backend.settings.reconcile_every
        self._ledger = backend.ledger
        self._reconciliation = TenantReconciliation(backend)
        self._looks_every = every / 10
        self._succeeded_within = every + every / 5
        self._tried_within = every / 2

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                while await self.once():
                    pass
            except Exception as error:
                _log.warning("not looked", error=describe_error(error))
            # Not at the same time as other closers.
            await asyncio.sleep(self._looks_every.total_seconds() * random.uniform(0.5, 1.5))

    async def once(self) -> list[TenantReport]:
        """Reconcile some that are overdue; an empty list says that none is. Raises ``LedgerUnavailableError``."""
        async with self._ledger.transaction() as session:
            overdue = await reconciliation.overdue(session, self._succeeded_within, self._tried_within, AT_ONCE)
        return await asyncio.gather(*(self._reconciliation.reconcile(one.id, one.name) for one in overdue))
