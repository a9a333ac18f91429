"""The watch: an observer of its own that looks into every tenant, again and again, and notes who is open.

It asks the simulated directory itself, behind every replica, fault and limit, and believes nothing that the product
says.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.chaos.land import Land
from tests.chaos.outages import Kind, Outage, OutageLog, now

STANDSTILL = timedelta(seconds=2)
"""A look that comes so much later than it was meant to says that this machine was too busy."""


@dataclass(frozen=True)
class Sighting:
    """An account that was open: when it was first and last seen so. It was open then, and perhaps a little longer."""

    customer: str
    account: str
    first: datetime
    last: datetime


class Watch:
    """Looks while it is on duty (``async with``)."""

    def __init__(self, land: Land, log: OutageLog, *, every: float) -> None:
        self._land = land
        self._log = log
        self._every = every
        self._open: dict[tuple[str, str], Sighting] = {}
        self._over: list[Sighting] = []
        self._task: asyncio.Task[None] | None = None
        self.looks = 0
        self.crowding = 1.0
        """How many processes wanted each core, at the worst moment so far; others may be using this machine, too."""
        self.journal: list[dict[str, Any]] = []

    @property
    def sightings(self) -> list[Sighting]:
        """Everything that was seen open."""
        return [*self._over, *self._open.values()]

    @property
    def sees_open(self) -> list[Sighting]:
        """What was open at the last look."""
        return list(self._open.values())

    async def __aenter__(self) -> Watch:
        self._task = asyncio.create_task(self._stay())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.look()

    async def look(self) -> None:
        """Once at everybody, and at what was asked of the directories since."""
        ours: set[tuple[str, str]] = set()
        for customer in self._land.customers:
            at = now()  # before it is asked: what is open then is open now, or later
            for person in await self._land.people(customer):
                if person["enabled"] and not person["deleted"]:
                    key = (customer, person["user_principal_name"].lower())
                    ours.add(key)
                    known = self._open.get(key) or Sighting(*key, at, at)
                    self._open[key] = replace(known, last=at)
        for key in self._open.keys() - ours:
            self._over.append(self._open.pop(key))
        after = self.journal[-1]["sequence"] if self.journal else 0
        self.journal += await self._land.control("GET", f"/journal?after={after}")
        self.looks += 1
        self.crowding = max(self.crowding, os.getloadavg()[0] / (os.cpu_count() or 1))

    async def _stay(self) -> None:
        due = now()
        while True:
            with suppress(httpx.TransportError):
                await self.look()
            due += timedelta(seconds=self._every)
            if now() - due > STANDSTILL:
                self._log.entries.append(Outage(Kind.STALLED, due, now()))
                due = now()
            await asyncio.sleep((due - now()).total_seconds())
