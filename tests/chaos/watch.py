"""The watch: an observer of its own that looks into every tenant, again and again, and notes who is open.

It asks the simulated directory itself, behind every replica, fault and limit, and believes nothing that the product
says.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.chaos.land import GLOBAL_ADMINISTRATOR, Land, Person
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


class Spans:
    """From when to when something was seen to be so, of each account."""

    def __init__(self) -> None:
        self._over: list[Sighting] = []
        self._still: dict[tuple[str, str], Sighting] = {}

    @property
    def all(self) -> list[Sighting]:
        """Everything that was seen."""
        return [*self._over, *self._still.values()]

    @property
    def still(self) -> list[Sighting]:
        """What was so at the last look."""
        return list(self._still.values())

    def see(self, found: Mapping[tuple[str, str], datetime]) -> None:
        """One look: of which accounts it is so, and when each was asked for."""
        for key, at in found.items():
            known = self._still.get(key) or Sighting(*key, at, at)
            self._still[key] = replace(known, last=at)
        for key in self._still.keys() - found.keys():
            self._over.append(self._still.pop(key))


def is_open(person: Person) -> bool:
    """Whether the account can be signed in to."""
    return bool(person["enabled"] and not person["deleted"])


def stands(person: Person) -> bool:
    """Whether the account is as an emergency account always is: open, with its role and a passkey."""
    has_passkey = any(method["kind"] == "fido2" for method in person["methods"])
    return is_open(person) and GLOBAL_ADMINISTRATOR in person["roles"] and has_passkey


class Watch:
    """Looks while it is on duty (``async with``)."""

    def __init__(self, land: Land, log: OutageLog, *, every: float) -> None:
        self._land = land
        self._log = log
        self._every = every
        self._open = Spans()
        self._standing = Spans()
        self._task: asyncio.Task[None] | None = None
        self.looks = 0
        self.last_look = now()
        """When the last one began."""
        self.crowding = 1.0
        """How many processes wanted each core, at the worst moment so far; others may be using this machine, too."""
        self.journal: list[dict[str, Any]] = []

    @property
    def sightings(self) -> list[Sighting]:
        """Everything that was seen open."""
        return self._open.all

    @property
    def sees_open(self) -> list[Sighting]:
        """What was open at the last look."""
        return self._open.still

    @property
    def standing(self) -> list[Sighting]:
        """What was seen as an emergency account always is."""
        return self._standing.all

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
        began = now()
        found: list[tuple[tuple[str, str], datetime, Person]] = []
        for customer in self._land.customers:
            at = now()  # before it is asked: what is open then is open now, or later
            people = await self._land.people(customer)
            found += (((customer, person["user_principal_name"].lower()), at, person) for person in people)
        self._open.see({key: at for key, at, person in found if is_open(person)})
        self._standing.see({key: at for key, at, person in found if stands(person)})
        self.last_look = began
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
