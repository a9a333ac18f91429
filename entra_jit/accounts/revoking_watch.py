"""Telling people that the elevating application closes in place of the revoking one, until that one can do it again.

Nothing here is waited for: a closing goes on while the ledger, which keeps alarms, is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from entra_jit.accounts.alarms import Alarms
from entra_jit.ledger import alarms
from entra_jit.ledger.database import Ledger, LedgerUnavailableError
from models.alarms import Alarm, AlarmKind

MOST_ALARMS = 1000


class RevokingWatch:
    """One alarm for each thing that the revoking application of a tenant cannot do. It ends when that has been done.

    Only the same thing done again is an all-clear: an application that has lost its directory role still reads
    everything, and would end the alarm at each reconciliation. A process knows what it has done itself.
    """

    def __init__(self, ledger: Ledger, alarms: Alarms, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._alarms = alarms
        self._clock = clock
        self._unrecorded: dict[str, Alarm] = {}
        self._worked: dict[str, datetime] = {}
        self._recording: set[asyncio.Task[None]] = set()

    def refused(self, tenant: str, purpose: str, why: str) -> None:
        """The elevating application was asked instead."""
        subject = _subject(tenant, purpose)
        self._worked.pop(subject, None)
        if subject in self._unrecorded:
            return
        sentence = f"The elevating application closes in {tenant}, because the revoking one is refused: {why}"
        self._unrecorded[subject] = Alarm(
            kind=AlarmKind.REVOKING_REFUSED, subject=subject, sentence=sentence, tenant=tenant, raised_at=self._clock()
        )
        recording = asyncio.create_task(self._record(subject))
        self._recording.add(recording)
        recording.add_done_callback(self._recording.discard)

    def worked(self, tenant: str, purpose: str, at: datetime) -> None:
        """The revoking application did it."""
        self._worked[_subject(tenant, purpose)] = at

    async def update_alarms(self) -> None:
        """Record what the ledger has not heard of yet, and end what is over. Raises ``LedgerUnavailableError``."""
        for subject in list(self._unrecorded):
            await self._record(subject)
        async with self._ledger.transaction() as session:
            standing = await alarms.listed(session, kind=AlarmKind.REVOKING_REFUSED, limit=MOST_ALARMS)
        for alarm in standing:
            if (worked := self._worked.get(alarm.subject)) and worked > alarm.raised_at:
                await self._alarms.clear(alarm.kind, alarm.subject, "The revoking application did it again.", worked)

    async def recorded(self) -> None:
        """Wait until what is being recorded is recorded: for a process that is about to leave."""
        await asyncio.gather(*self._recording)

    async def _record(self, subject: str) -> None:
        # What the ledger does not hear of stays unrecorded, until the next update.
        with suppress(LedgerUnavailableError):
            await self._alarms.raise_alarm(self._unrecorded[subject])
            self._unrecorded.pop(subject, None)


def _subject(tenant: str, purpose: str) -> str:
    return f"{tenant}: {purpose}"
