"""Closing the account of one live grant right now, from this very process: what an emergency stop does.

It needs the ledger to know whom to close and the directory to close them, and nothing else: no Temporal, no worker.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from entra_jit.accounts.account_closing import Given
from entra_jit.accounts.backend import Backend, Clock
from entra_jit.accounts.finding import AccountFinder, MissedSince, NothingToClose
from entra_jit.accounts.interventions import Intervention
from entra_jit.accounts.managed_account import FoundAccount
from entra_jit.accounts.proving import NotProvenError, ProvenClosing
from entra_jit.graph import Tenant, TransientError
from entra_jit.ledger.fences import Fenced
from models.actor import EMERGENCY_STOP
from models.messages import AccountToClose

LOOK_AGAIN = timedelta(seconds=1)
LONGEST_WAIT = timedelta(seconds=15)
"""However long Microsoft asks to wait: in an emergency it is asked again at least so often."""

LONGEST_THROTTLED = 5
"""How many times one account's patience it may last altogether."""


class GrantStop:
    """Closes the account of one fenced grant, and proves it."""

    def __init__(self, backend: Backend, fenced: Fenced, because: str, *, even_if_held: bool) -> None:
        """``because``: why it is stopped. ``even_if_held``: whichever grant has the account, for all are stopped."""
        self._directories = backend.directories
        self._clock = backend.clock
        self._finder = AccountFinder(backend)
        self._even_if_held = even_if_held
        self._missed = MissedSince()
        under_way_until = _under_way_until(fenced, backend.provisioning_step)
        grant = fenced.grant
        self._account = AccountToClose(
            grant=grant,
            object_id=fenced.object_id,
            access_given_at=fenced.opened_at or under_way_until,
            mark=fenced.mark,
        )
        given = Given.to(self._account, backend.roles_known_after)
        self._provable_at = max(under_way_until, given.known_at or under_way_until)
        self._intervention = Intervention(
            backend, EMERGENCY_STOP, because, grant.request_id, given, under_way_until=under_way_until
        )

    async def disable(self) -> bool:
        """Keep the account from signing in, before anything else is done to it. False: there is nothing to disable."""
        tenant, found = await self._find()
        if isinstance(found, NothingToClose):
            return False
        await self._intervention.disable(tenant, found.user)
        return True

    async def close_and_prove(self, patience: timedelta) -> ProvenClosing:
        """Close it again and again until the directory says that it is closed, and nothing may be under way any more.

        Raises what went wrong last once ``patience`` is over, which counts from when proving it is possible. A standing
        that is not closed says that another grant holds the account.
        """
        persistence = _Persistence(self._clock, max(self._clock(), self._provable_at), patience)
        return await self._intervention.close_and_prove(self._find, persistence.pause_after)

    async def _find(self) -> tuple[Tenant, FoundAccount | NothingToClose]:
        tenant = await self._directories.to_close(self._account.grant.tenant_id)
        found = await self._finder.to_close(tenant, self._account, self._missed, even_if_held=self._even_if_held)
        return tenant, found


class _Persistence:
    """How long an account is tried: ``patience``, from when proving it is ``possible``.

    Where Microsoft throttles it counts from then on, for sign-in methods may be asked for five times in ten seconds: of
    many accounts in one tenant each has to wait for its turn.
    """

    def __init__(self, clock: Clock, possible: datetime, patience: timedelta) -> None:
        self._clock = clock
        self._patience = patience
        self._until = possible + patience
        self._latest = possible + LONGEST_THROTTLED * patience

    def pause_after(self, error: Exception) -> timedelta | None:
        """How long to wait before the next try; None: it has taken too long."""
        pause = self._pause(error)
        if isinstance(error, TransientError) and error.retry_after:
            self._until = max(self._until, min(self._clock() + pause + self._patience, self._latest))
        return pause if self._clock() < self._until else None

    def _pause(self, error: Exception) -> timedelta:
        if isinstance(error, NotProvenError) and error.until:
            return max(error.until - self._clock(), timedelta(0))
        if isinstance(error, TransientError) and error.retry_after:
            return min(error.retry_after, LONGEST_WAIT)
        return LOOK_AGAIN


def _under_way_until(fenced: Fenced, provisioning_step: timedelta) -> datetime:
    """When no step that was begun before the fence can write any more."""
    until = fenced.lease_until or fenced.fenced_at
    if fenced.opened_at is None and not fenced.is_parked:
        return max(until, fenced.fenced_at + provisioning_step)
    return until
