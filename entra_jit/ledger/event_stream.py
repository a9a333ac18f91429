"""What is appended to the journal from now on, to all who follow it in this process: one poller for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Self

import structlog

from entra_jit.ledger import events
from entra_jit.ledger.database import Ledger, LedgerUnavailableError
from entra_jit.ledger.events import Position
from models.events import Event

POLL_EVERY = timedelta(milliseconds=250)

_log = structlog.get_logger("events")


class EventStream:
    """Reads the journal while anyone is subscribed, with one query each 250 ms however many they are.

    A ledger that is away for a while delays events and loses none.
    """

    def __init__(self, ledger: Ledger, every: timedelta = POLL_EVERY) -> None:
        self._ledger = ledger
        self._every = every.total_seconds()
        self._subscriptions: set[Subscription] = set()
        self._poller: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        """Every event that is committed from now on, in order, each once. Raises ``LedgerUnavailableError``.

        Subscribe first and read the state afterwards, so that nothing falls in between.
        """
        subscription = Subscription()
        self._subscriptions.add(subscription)
        try:
            if not self._is_polling():
                async with self._ledger.transaction() as session:
                    position = await events.now(session)
                if not self._is_polling():
                    self._poller = asyncio.create_task(self._poll(position))
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            if not self._subscriptions and self._poller is not None:
                poller, self._poller = self._poller, None
                poller.cancel()
                await asyncio.wait([poller])  # its connection is given back before the pool is closed

    def _is_polling(self) -> bool:
        return self._poller is not None and not self._poller.done()

    async def _poll(self, position: Position) -> None:
        try:
            while True:
                await asyncio.sleep(self._every)
                try:
                    async with self._ledger.transaction() as session:
                        found, position = await events.following(session, position)
                except LedgerUnavailableError as error:
                    _log.warning("events are delayed", because=str(error))
                    continue
                self._hand_out(*found)
        except Exception as error:
            self._hand_out(error)

    def _hand_out(self, *items: Event | Exception) -> None:
        for subscription in self._subscriptions:
            subscription.put(*items)


class Subscription:
    """Gives one event after the other. Waiting for the next can be cancelled and begun again; nothing is lost by it."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Event | Exception] = asyncio.Queue()

    def put(self, *items: Event | Exception) -> None:
        """Hand over what has come, or why nothing comes any more."""
        for item in items:
            self._waiting.put_nowait(item)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        item = await self._waiting.get()
        if isinstance(item, Exception):
            raise item
        return item
