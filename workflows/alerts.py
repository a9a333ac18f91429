"""Telling people of what goes wrong with a grant, beside its closing: nothing waits until they are told."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

from activities.options import ALARMING
from activities.signatures import Alarming
from models.alarms import Alarm, AlarmKind
from models.grant_progress import GrantProgress
from workflows.execution import execute
from workflows.view import publish

LAST_WORDS = timedelta(minutes=1)

ABOUT_A_GRANT = frozenset({AlarmKind.CLOSING_LATE, AlarmKind.HELD})
"""Other alarms are about the account."""


class GrantAlerts:
    """The alarms of one grant, on their way."""

    def __init__(self, progress: GrantProgress) -> None:
        self._progress = progress
        self._under_way: list[asyncio.Task[None]] = []

    def alarm(self, kind: AlarmKind, sentence: str) -> None:
        """Show it at once, and have it recorded and told for as long as that takes."""
        grant = self._progress.granted
        self._progress.alarms.append(sentence)
        self._progress.alarm = kind
        publish(self._progress)
        alarm = Alarm(
            kind=kind,
            subject=grant.request_id if kind in ABOUT_A_GRANT else grant.account_name,
            sentence=sentence,
            tenant=grant.tenant,
            request_id=grant.request_id,
            raised_at=workflow.now(),
        )
        self._under_way.append(
            asyncio.create_task(execute(Alarming.raise_alarm, alarm, ALARMING, summary=f"Alarm: {kind.value}"))
        )

    @property
    def are_heard(self) -> bool:
        """All are recorded."""
        return all(telling.done() for telling in self._under_way)

    async def be_heard(self) -> None:
        """Alarms that are not recorded yet get another minute; after that the receipt alone tells of them."""
        if not self.are_heard:
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: self.are_heard, timeout=LAST_WORDS)
        for telling in self._under_way:
            telling.cancel()
