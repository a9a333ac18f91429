"""Telling that a credential of the MSP's own applications ends soon: without it no customer's account can be closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from entra_jit.accounts.alarms import Alarms
from entra_jit.accounts.own_applications import OwnCredential
from entra_jit.ledger import alarms
from entra_jit.ledger.database import Ledger
from models.alarms import Alarm, AlarmKind

STEPS = (timedelta(days=30), timedelta(days=7), timedelta(days=1))
"""How long before its end a credential is told of, each by an alarm of its own: one that stands is not repeated."""


def due(name: str, expires_at: datetime | None, at: datetime) -> Iterator[Alarm]:
    """The alarms that stand ``at`` this time about the credential that the settings call ``name``."""
    if expires_at is None:
        return
    ended = "has ended" if expires_at <= at else "ends"
    for step in STEPS:
        if expires_at - at <= step:
            yield Alarm(
                kind=AlarmKind.CREDENTIAL_EXPIRES,
                subject=f"{name}: {step.days} d",
                sentence=f"The credential of ENTRA_JIT_{name.upper()} {ended} on {expires_at:%Y-%m-%d %H:%M:%SZ}.",
                raised_at=at,
            )


class ExpiryWatch:
    """Alarms about the credentials in the settings. They end once a process runs with a newer credential."""

    def __init__(
        self, own: Mapping[str, OwnCredential], ledger: Ledger, alarms: Alarms, clock: Callable[[], datetime]
    ) -> None:
        # One application may serve two purposes, and is told of once.
        self._ends = {one.client_id: (name, one.expires_at) for name, one in reversed(tuple(own.items()))}
        self._ledger = ledger
        self._alarms = alarms
        self._clock = clock

    async def update_alarms(self) -> None:
        """Raise those that are due, and end those that are no longer. Raises ``LedgerUnavailableError``."""
        now = self._clock()
        found = {alarm.subject: alarm for name, ends in self._ends.values() for alarm in due(name, ends, now)}
        async with self._ledger.transaction() as session:
            standing = await alarms.listed(session, kind=AlarmKind.CREDENTIAL_EXPIRES)
        for alarm in standing:
            if alarm.subject not in found:
                await self._alarms.clear(alarm.kind, alarm.subject, "The credential was replaced.", now)
        for alarm in found.values():
            await self._alarms.raise_alarm(alarm)
