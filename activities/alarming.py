"""Alarms as Temporal has them raised: again and again, until the ledger has them."""

from __future__ import annotations

from temporalio import activity

from activities.signatures import Alarming
from entra_jit.accounts.backend import Backend
from models.alarms import Alarm


class AlarmingActivities(Alarming):
    """See ``activities.signatures.Alarming``."""

    def __init__(self, backend: Backend) -> None:
        self._alarms = backend.alarms

    @activity.defn
    async def raise_alarm(self, alarm: Alarm) -> None:
        """Log, metric and announcement at once; the ledger when it can be reached."""
        await self._alarms.raise_alarm(alarm)
