"""What the ledger alone shows to be wrong: tenants that are not reconciled, closings that are late.

Workers and closers look for it, so that it is told with Temporal away and with every workflow gone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from entra_jit.accounts.attempts import attempt_all
from entra_jit.accounts.backend import Backend
from entra_jit.ledger import due, reconciliation
from entra_jit.ledger.database import Ledger
from entra_jit.ledger.due import Closers, Unsettled
from entra_jit.policy.durations import format_duration
from models.alarms import Alarm, AlarmKind
from models.moments import format_moment

LOOK_EVERY = timedelta(minutes=1)
LAPSED_AFTER = 3
"""So many intervals without a reconciliation are a lapse."""


def lapse_patience(every: timedelta) -> timedelta:
    """How long a tenant may go without a reconciliation, where one is due ``every`` so often."""
    return every * LAPSED_AFTER + LOOK_EVERY


async def find_lapse(ledger: Ledger, every: timedelta, at: datetime) -> Alarm | None:
    """The alarm that tenants were not reconciled for too long; None: all were. It is not raised by this."""
    patience = lapse_patience(every)
    async with ledger.transaction() as session:
        waiting = await reconciliation.not_tried_since(session, at - patience)
    if not waiting:
        return None
    names = ", ".join(waiting[:5]) + (" and others" if len(waiting) > 5 else "")
    sentence = f"{len(waiting)} tenants were not reconciled for {format_duration(patience)}: {names}."
    return Alarm(kind=AlarmKind.RECONCILER_LAPSED, subject="deployment", sentence=sentence, raised_at=at)


class LedgerWatch:
    """Raises and ends these alarms."""

    def __init__(self, backend: Backend) -> None:
        self._ledger = backend.ledger
        self._alarms = backend.alarms
        self._clocks = backend.clocks
        self._clock = backend.clock
        self._every = backend.settings.reconcile_every
        self._late_after = backend.settings.alarm_after[0]
        self._since = backend.clock()
        self.closers = Closers(running=0, known=0, lateness=None)
        """By the last look."""
        self.has_lapsed = False
        """Whether the last look has found that no reconciliation comes through."""

    async def look(self) -> None:
        """One look. Raises ``LedgerUnavailableError``."""
        await attempt_all(
            [self._look_for_a_lapse(), self._look_for_late_closings(), self._look_for_closers(), self._look_at_clocks()]
        )

    async def _look_for_a_lapse(self) -> None:
        now = self._clock()
        lapse = await find_lapse(self._ledger, self._every, now)
        self.has_lapsed = lapse is not None and now - self._since >= lapse_patience(self._every)
        if lapse is None:
            await self._alarms.clear(AlarmKind.RECONCILER_LAPSED, "deployment", "Every tenant was reconciled.", now)
        elif self.has_lapsed:
            await self._alarms.raise_alarm(lapse)

    async def _look_for_late_closings(self) -> None:
        """Counted from the expiry. The workflow does so too, and raises none where Temporal is away."""
        async with self._ledger.transaction() as session:
            late = await due.unsettled(session, self._late_after)
        for grant in late:
            await self._alarms.raise_alarm(self._late(grant))

    async def _look_for_closers(self) -> None:
        now = self._clock()
        async with self._ledger.transaction() as session:
            self.closers = await due.closers(session)
        if self.closers.running or not self.closers.known:
            await self._alarms.clear(AlarmKind.CLOSER_AWAY, "deployment", "A closer runs, or none is expected.", now)
        elif now - self._since >= 2 * LOOK_EVERY:  # it may be starting, as this process is
            sentence = "No closer has been seen for a minute: what expires is closed by its workflow alone."
            await self._alarms.raise_alarm(
                Alarm(kind=AlarmKind.CLOSER_AWAY, subject="deployment", sentence=sentence, raised_at=now)
            )

    async def _look_at_clocks(self) -> None:
        now = self._clock()
        if alarm := self._clocks.alarm(now):
            await self._alarms.raise_alarm(alarm)
        else:
            await self._alarms.clear(AlarmKind.CLOCK_APART, self._clocks.machine, "The clocks agree.", now)

    def _late(self, grant: Unsettled) -> Alarm:
        so_far = f"disabled at {format_moment(grant.disabled_at)}" if grant.disabled_at else "not known to be disabled"
        return Alarm(
            kind=AlarmKind.CLOSING_LATE,
            subject=grant.request_id,
            sentence=f"{grant.account_name} is not proven closed {format_duration(self._late_after)} after its expiry. "
            f"It is {so_far}.",
            tenant=grant.tenant,
            request_id=grant.request_id,
            raised_at=self._clock(),
        )
