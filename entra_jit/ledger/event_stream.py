"""What is appended to the journal from now on, to all who follow it in this process: one poller for all of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import structlog

from entra_jit.ledger import events
from entra_jit.ledger.database import Ledger, LedgerUnavailableError
from entra_jit.ledger.events import Position
from models.events import Event

POLL_EVERY = timedelta(milliseconds=250)

MOST_WAITING = 16
"""So many looks' worth of events are kept for each reader."""

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
        subscription = Subscription(self._ledger)
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
                        found, until = await events.following(session, position)
                except LedgerUnavailableError as error:
                    _log.warning("events are delayed", because=str(error))
                    continue
                for subscription in self._subscriptions if found else ():
                    subscription.put(_Batch(found, position, until))
                position = until
        except Exception as error:
            for subscription in self._subscriptions:
                subscription.fail(error)


@dataclass(frozen=True)
class _Batch:
    """What one look at the journal has found, between two positions."""

    events: Sequence[Event]
    since: Position
    until: Position


class Subscription:
    """Gives one event after the other. Waiting for the next can be cancelled and begun again; nothing is lost by it.

    For a reader that is slow only so much is kept: it reads the rest from the journal, from where it is.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ready: deque[Event] = deque()
        self._waiting: asyncio.Queue[_Batch | None] = asyncio.Queue(MOST_WAITING)
        self._missed: tuple[Position, Position] | None = None
        """Between which positions it has to read for itself, once it is through with what waits."""
        self._failure: Exception | None = None

    def put(self, batch: _Batch) -> None:
        """Hand over what has come."""
        if self._missed is None and not self._waiting.full():
            self._waiting.put_nowait(batch)
        else:
            self._missed = (self._missed[0] if self._missed else batch.since, batch.until)

    def fail(self, error: Exception) -> None:
        """Say why nothing comes any more."""
        self._failure = error
        if not self._waiting.full():
            self._waiting.put_nowait(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._ready:
            await self._get_ready()
        return self._ready.popleft()

    async def _get_ready(self) -> None:
        if not self._waiting.empty() or not (self._missed or self._failure):
            batch = await self._waiting.get()
            self._ready.extend(batch.events if batch else ())
        elif self._missed:
            async with self._ledger.transaction() as session:
                found, position = await events.following(session, self._missed[0])
            self._ready.extend(found)
            until = self._missed[1]
            self._missed = (position, until) if found and position < until else None
        elif self._failure:
            raise self._failure
