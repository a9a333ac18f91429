"""Closing an account beside its grant's own workflow: what the reconciler, the review and an emergency stop do.

It is in the ledger before the first write, so that everything that was done to an account has its reason there, and so
is what was found on it, which the grant's receipt tells. A ledger that is away keeps nothing open.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime

import structlog

from entra_jit.accounts.account_closing import (
    MOST_CALLS,
    Cleared,
    Given,
    ReadBack,
    Reading,
    Stripped,
    clear_mark,
    close_again,
    read_standing,
)
from entra_jit.accounts.backend import Backend
from entra_jit.graph import Tenant, User
from entra_jit.ledger import addenda, interventions
from entra_jit.ledger.database import LedgerUnavailableError
from models.actor import Actor
from models.messages import ClosingStep, DirectoryCall, Role, Step, TenantId

LOOKS = 4
"""How often a closed account is read back before it is left to the next run."""

_log = structlog.get_logger("interventions")


class Intervention:
    """One account that is closed in the name of ``by``, over all the tries that it takes."""

    def __init__(
        self, backend: Backend, by: Actor, because: str, request_id: str | None = None, roles: tuple[Role, ...] = ()
    ) -> None:
        self._ledger = backend.ledger
        self._clock = backend.clock
        self._by = by
        self._because = because
        self._request_id = request_id
        self._began_at: datetime | None = None
        self._number: int | None = None
        self._calls: list[DirectoryCall] = []
        self.given = Given(roles)
        """What the grant may have given. It is no finding, and is removed whether it is listed or not."""
        self.stripped = Stripped()
        self.disabled_at: datetime | None = None
        """When the directory first answered that it is disabled."""

    async def disable(self, tenant: Tenant, user: User) -> None:
        """Keep it from signing in, before anything else is done to it."""
        await self._enter(tenant, user)
        self._keep([await tenant.users.disable(user.id)])

    async def close(self, tenant: Tenant, user: User) -> None:
        """Disable and strip it. Idempotent; what was found is in the ledger also where something of it fails."""
        await self._enter(tenant, user)
        try:
            self._keep(await close_again(tenant, user.id, self.given, self.stripped))
        finally:
            await self._report(None)

    async def read_back(self, tenant: Tenant, user: User, reading: Reading) -> ReadBack:
        """What the directory says of it; where that is that it is closed, its mark is cleared."""
        is_closed = reading.standing.is_closed
        at = max(call.answered_at for call in reading.calls)
        cleared = await clear_mark(tenant, user) if is_closed else Cleared()
        await self._enter(tenant, user)
        await self._report(at if is_closed else None)
        note = ". ".join(part for part in (f"by {self._by}", cleared.note) if part)
        step = Step(name=ClosingStep.READ_BACK, at=at, note=note, calls=(*reading.calls, *cleared.calls))
        return ReadBack(self.disabled_at, step, reading.standing, self.stripped.findings, user.id)

    def _keep(self, calls: list[DirectoryCall]) -> None:
        self.disabled_at = self.disabled_at or calls[0].answered_at
        self._calls += calls

    async def _enter(self, tenant: Tenant, user: User) -> None:
        self._began_at = self._began_at or self._clock()
        if self._number is not None:
            return
        with suppress(LedgerUnavailableError):
            async with self._ledger.transaction() as session:
                self._number = await interventions.begin(
                    session,
                    tenant_id=TenantId(tenant.connection.tenant_id),
                    object_id=user.id,
                    account_name=user.user_principal_name,
                    request_id=self._request_id,
                    by=self._by,
                    because=self._because,
                    found_enabled=user.account_enabled,
                    at=self._began_at,
                )

    async def _report(self, proven_at: datetime | None) -> None:
        if self._number is None:
            return
        calls, findings = self._calls[:MOST_CALLS], self.stripped.findings
        with suppress(LedgerUnavailableError):
            async with self._ledger.transaction() as session:
                await interventions.finish(session, self._number, self.disabled_at, proven_at, calls, findings)
                if self._request_id and findings:
                    await addenda.add_found_beside(session, self._request_id, self._by, findings, self._clock())


class Intervening:
    """Closes accounts in the name of ``by``."""

    def __init__(self, backend: Backend, by: Actor) -> None:
        self._backend = backend
        self._by = by

    async def close(
        self,
        tenant: Tenant,
        user: User,
        because: str,
        *,
        request_id: str | None = None,
        roles: tuple[Role, ...] = (),
    ) -> ReadBack:
        """Close the account, and say what the directory says of it then. Idempotent.

        ``request_id``: the grant that holds it, which has given ``roles``. A standing that is not closed says that the
        directory lags, or refuses.
        """
        _log.error(f"account closed by {self._by}", account=user.user_principal_name, because=because)
        intervention = Intervention(self._backend, self._by, because, request_id, roles)
        for look in range(1, LOOKS + 1):
            await intervention.close(tenant, user)
            entry = await tenant.users.get(user.id)
            reading = await read_standing(tenant, entry)
            if reading.standing.is_closed or look == LOOKS:
                break
            await asyncio.sleep(look)
        return await intervention.read_back(tenant, entry, reading)
