"""Telling people of what goes wrong with a grant, beside its closing: nothing waits until they are told."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

from activities.options import ALARMING
from activities.signatures import Alarming
from models import search_attributes
from models.alarms import Alarm, AlarmKind
from models.messages import Grant
from workflows.page import Page
from workflows.perform import perform

LAST_WORDS = timedelta(minutes=1)

ABOUT_A_GRANT = frozenset({AlarmKind.CLOSING_LATE, AlarmKind.HELD, AlarmKind.PERSISTENCE})
"""Other alarms are about the account."""


class Telling:
    """The alarms of one grant, on their way."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._under_way: list[asyncio.Task[None]] = []

    def alarm(self, grant: Grant, kind: AlarmKind, sentence: str) -> None:
        """Show it at once, and have it recorded and told for as long as that takes."""
        self._page.show_alarm(sentence)
        if not workflow.patched("alarms-are-told"):
            return
        alarm = Alarm(
            kind=kind,
            subject=grant.request_id if kind in ABOUT_A_GRANT else grant.account_name,
            sentence=sentence,
            tenant=grant.tenant,
            request_id=grant.request_id,
            raised_at=workflow.now(),
        )
        workflow.upsert_search_attributes([search_attributes.ALARM.value_set(kind.value)])
        self._under_way.append(
            asyncio.create_task(perform(Alarming.raise_alarm, alarm, ALARMING, summary=f"Alarm: {kind.value}"))
        )

    async def be_heard(self) -> None:
        """Alarms that are not recorded yet get another minute; after that the receipt alone tells of them."""
        if any(not telling.done() for telling in self._under_way):
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: all(telling.done() for telling in self._under_way), timeout=LAST_WORDS
                )
        for telling in self._under_way:
            telling.cancel()
