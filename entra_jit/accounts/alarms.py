"""Telling people, and telling them once: the ledger knows what stands already.

The seam for notifications is ``Announcer``: it receives each alarm when it is raised and when it is
over. No caller waits for a delivery, and a failed one delays nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Protocol

import structlog

from entra_jit.ledger import alarms
from entra_jit.ledger.alarms import Recording
from entra_jit.ledger.database import Ledger, LedgerUnavailableError
from models.actor import Actor
from models.alarms import Alarm, AlarmKind

ANNOUNCED_WITHIN_SECONDS = 5.0

_log = structlog.get_logger("alarms")


class Announcer(Protocol):
    """Delivers alarms and all-clears to people."""

    async def announce(self, alarm: Alarm) -> None:
        """Deliver one; ``cleared_at`` tells an all-clear. May fail: the failure is logged, and nothing else."""


class Unannounced:
    """Alarms stand in the ledger and in the log, and are not delivered."""

    async def announce(self, alarm: Alarm) -> None:
        """Nothing."""


class Alarms:
    """Raises and ends alarms: ledger, log, announcement."""

    def __init__(self, ledger: Ledger, announcer: Announcer) -> None:
        self._ledger = ledger
        self._announcer = announcer
        self._told_unrecorded: set[tuple[AlarmKind, str]] = set()
        """Told while the ledger was away, and not to be told again when it has heard of them, too."""
        self._announcing: set[asyncio.Task[None]] = set()

    async def raise_alarm(self, alarm: Alarm) -> None:
        """Raise ``alarm``; one that stands already is not announced again.

        Raises ``LedgerUnavailableError`` after announcing: then the ledger has no record of it, so do it again later.
        """
        key = alarm.kind, alarm.subject
        try:
            async with self._ledger.transaction() as session:
                is_new = await alarms.raise_alarm(session, alarm)
        except LedgerUnavailableError:
            if key not in self._told_unrecorded:
                self._told_unrecorded.add(key)
                self._tell(alarm)
            raise
        told_already = key in self._told_unrecorded
        self._told_unrecorded.discard(key)
        if is_new and not told_already:
            self._tell(alarm)

    async def clear(
        self, kind: AlarmKind, subject: str, all_clear: str, at: datetime, by: Actor | None = None
    ) -> Alarm | None:
        """End the alarm; ``by``: who does so by hand. None: it did not stand. Raises ``LedgerUnavailableError``."""
        async with self.recording() as record:
            return await record.clear(kind, subject, all_clear, at, by)

    async def standing(self) -> Counter[AlarmKind]:
        """How many stand of each kind; while the ledger is away, those that have been told meanwhile."""
        told = Counter(kind for kind, _ in self._told_unrecorded)
        with suppress(LedgerUnavailableError):
            async with self._ledger.transaction() as session:
                return await alarms.count(session) + told
        return told

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[Recording]:
        """A transaction of the ledger for alarms together with what they are about.

        They are announced once it is committed. Raises ``LedgerUnavailableError``, and then announces none of them.
        """
        async with self._ledger.transaction() as session:
            record = Recording(session)
            yield record
        for alarm in record.changed:
            if alarm.cleared_at is None:
                self._tell(alarm)
            else:
                self._tell_all_clear(alarm)

    def _tell_all_clear(self, ended: Alarm) -> None:
        self._told_unrecorded.discard((ended.kind, ended.subject))
        _log.info("all clear", kind=ended.kind.value, subject=ended.subject, because=ended.ended)
        self._announce(ended)

    async def said(self) -> None:
        """Wait for announcements under way: a process does so before it exits."""
        await asyncio.gather(*self._announcing)

    def _tell(self, alarm: Alarm) -> None:
        _log.error("alarm", kind=alarm.kind.value, subject=alarm.subject, tenant=alarm.tenant, alarm=alarm.sentence)
        self._announce(alarm)

    def _announce(self, alarm: Alarm) -> None:
        announcing = asyncio.create_task(self._deliver(alarm))
        self._announcing.add(announcing)
        announcing.add_done_callback(self._announcing.discard)

    async def _deliver(self, alarm: Alarm) -> None:
        try:
            async with asyncio.timeout(ANNOUNCED_WITHIN_SECONDS):
                await self._announcer.announce(alarm)
        except Exception as error:
            _log.warning("alarm not announced", kind=alarm.kind.value, error=type(error).__name__)
