"""Closing the account of one live grant right now, from this very process: what an emergency stop does.

It needs the ledger to know whom to close and the directory to close them, and nothing else: no Temporal, no worker.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from entra_jit.accounts.account_closing import ReadBack, read_standing
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.intervening import Intervention
from entra_jit.accounts.managed_account import Holder
from entra_jit.graph import NotYetVisibleError, Tenant, TransientError, User
from entra_jit.ledger.fences import Fenced
from entra_jit.policy.durations import PROVISIONING_STEP
from models.actor import EMERGENCY_STOP
from models.errors import ReadBackDisagreesError
from models.messages import ClosingStep, Standing, Step

LOOK_AGAIN = timedelta(seconds=1)
LONGEST_WAIT = timedelta(seconds=15)
"""However long Microsoft asks to wait: in an emergency it is asked again at least so often."""

LONGEST_THROTTLED = 5
"""How many times one account's patience it may last altogether."""


class NotProvenError(ReadBackDisagreesError):
    """The account was closed, and that it stays so is not proven yet. ``until``: when looking again can prove it."""

    def __init__(self, explanation: str, until: datetime | None = None) -> None:
        super().__init__(explanation)
        self.until = until


class GrantStop:
    """Closes the account of one fenced grant, and proves it. ``because``: why everything is stopped."""

    def __init__(self, backend: Backend, fenced: Fenced, because: str) -> None:
        self._backend = backend
        self._clock = backend.clock
        self._fenced = fenced
        grant = fenced.grant
        self._intervention = Intervention(backend, EMERGENCY_STOP, because, grant.request_id, grant.roles)

    async def disable(self) -> None:
        """Keep the account from signing in, before anything else is done to it."""
        tenant, user = await self._find()
        if user is not None:
            await self._intervention.disable(tenant, user)

    async def close_and_prove(self, patience: timedelta) -> ReadBack:
        """Close it again and again until the directory says that it is closed, and nothing may be under way any more.

        Raises what went wrong last once ``patience`` is over, which counts from when proving it is possible. Where
        Microsoft throttles it counts from then on, for sign-in methods may be asked for five times in ten seconds: of
        many accounts in one tenant each has to wait for its turn.
        """
        possible = max(self._clock(), self._nothing_under_way_at(), self._roles_known_at())
        until = possible + patience
        while True:
            try:
                return await self._close_once()
            except Exception as error:
                pause = self._pause_after(error)
                if isinstance(error, TransientError) and error.retry_after:
                    latest = possible + LONGEST_THROTTLED * patience
                    until = max(until, min(self._clock() + pause + patience, latest))
                if self._clock() >= until:
                    raise
                await asyncio.sleep(pause.total_seconds())

    def _pause_after(self, error: Exception) -> timedelta:
        if isinstance(error, NotProvenError) and error.until:
            return max(error.until - self._clock(), timedelta(0))
        if isinstance(error, TransientError) and error.retry_after:
            return min(error.retry_after, LONGEST_WAIT)
        return LOOK_AGAIN

    async def _close_once(self) -> ReadBack:
        tenant, user = await self._find()
        if user is None:
            return self._gone()
        await self._intervention.close(tenant, user)
        asked_at = self._clock()
        entry = await tenant.users.get(user.id)
        reading = await read_standing(tenant, entry)
        if not reading.standing.is_closed:
            raise NotProvenError("the directory does not say yet that it is closed")
        if asked_at < (until := self._nothing_under_way_at()):
            raise NotProvenError("a step that was begun before the stop may still be under way", until)
        unseen = self._intervention.given.ids(user.id) - self._intervention.stripped.removed
        if unseen and asked_at < (until := self._roles_known_at()):
            raise NotProvenError("its roles are too new for their absence to be proven", until)
        return await self._intervention.read_back(tenant, entry, reading)

    def _gone(self) -> ReadBack:
        at, vanished = self._clock(), self._fenced.object_id is not None
        step = Step(name=ClosingStep.READ_BACK, at=at, note=f"by {EMERGENCY_STOP}")
        findings = self._intervention.stripped.findings
        return ReadBack(
            self._intervention.disabled_at or at, step, Standing.gone(vanished=vanished), findings, account=None
        )

    def _nothing_under_way_at(self) -> datetime:
        fenced = self._fenced
        if fenced.opened_at is None and not fenced.is_parked:
            return max(fenced.lease_until or fenced.fenced_at, fenced.fenced_at + PROVISIONING_STEP)
        return fenced.lease_until or fenced.fenced_at

    def _roles_known_at(self) -> datetime:
        """When a replica can no longer be ignorant of the last role that was given."""
        return (self._fenced.opened_at or self._nothing_under_way_at()) + self._backend.roles_known_after

    async def _find(self) -> tuple[Tenant, User | None]:
        """The account; None where there is none, or none that is ours, or it is in the directory's bin."""
        grant, object_id = self._fenced.grant, self._fenced.object_id
        tenant = await self._backend.directories.to_close(grant.tenant_id)
        if object_id is None:
            user = await tenant.users.find(grant.account_name)
        else:
            try:
                user = await tenant.users.get(object_id)
            except NotYetVisibleError:
                if await tenant.deleted_items.find(object_id) is None:
                    raise
                user = None
        return tenant, user if user is not None and self._is_ours(user) else None

    def _is_ours(self, user: User) -> bool:
        return self._backend.inspect(user, Holder.of(self._fenced.grant), self._fenced.register).may_be_closed
