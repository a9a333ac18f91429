"""Who works with emergency accounts during a storm: rotates, reveals, drills, and terminates what should be left alone.

The schedule's rounds are five minutes apart, and a revealed credential lasts for an hour. Here a round begins every few
seconds, and who reveals has a clock that is nearly an hour behind.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from entra_jit.accounts.emergency.steps import EmergencySteps
from entra_jit.app import App
from entra_jit.emergency_kit import OneTimeKey
from entra_jit.ledger import emergency
from entra_jit.operations.drill_emergency_account import drill_emergency_account
from entra_jit.operations.reveal_emergency_account import reveal_emergency_account
from entra_jit.operations.rotate_emergency_account import rotate_emergency_account
from entra_jit.policy.emergency import USABLE_AFTER_REVEAL
from entra_jit.temporal.schedules import EMERGENCY_ROUNDS_ID
from models.messages import EmergencyRef, RevealRequest, TenantId
from models.names import emergency_workflow_id
from tests.actors import operator
from tests.chaos.evidence import EmergencyAccount
from tests.chaos.land import Land
from tests.chaos.outages import now
from tests.chaos.storm_time import StormTime
from tests.chaos.weather import dealt
from tests.chaos.worker import signs_in
from tests.stage import customer_id, variant

KEEPER = operator("a keeper")
A_ROUND_EVERY_SECONDS = 7.0
TRIED_AGAIN_AFTER_SECONDS = 0.5
SOON = timedelta(seconds=10)
"""After which what is to fall due falls due, and what was revealed is rotated."""


class Act(StrEnum):
    """What is done to a customer's emergency account."""

    ROTATE = "rotated at once"
    ROTATE_SOON = "fell due for rotation"
    REVEAL = "revealed"
    DRILL = "tried at once"
    DRILL_SOON = "fell due for a drill"
    TERMINATE = "workflow terminated by hand"


@dataclass(frozen=True)
class EmergencyVisit:
    """What is to be done, in seconds after the storm's beginning."""

    at: float
    customer: str
    act: Act


def emergency_visits(seed: int, count: int, seconds: float, customers: Sequence[str]) -> list[EmergencyVisit]:
    """So many, spread over so many seconds; the same for the same seed."""
    chance = random.Random(f"emergency {seed}")
    where, acts = dealt(chance, customers), dealt(chance, list(Act))
    times = sorted(chance.uniform(0, seconds) for _ in range(count))
    return [EmergencyVisit(at, next(where), next(acts)) for at in times]


class EmergencyCrowd:
    """Does it, and has rounds begin. What does not get through, as before the account is made, is tried again."""

    def __init__(self, land: Land, time: StormTime, *, patience: float) -> None:
        self._land = land
        self._time = time
        self._patience = patience
        self.done: Counter[str] = Counter()
        """What was done how often; what failed, together."""

    async def come(self, visits: Sequence[EmergencyVisit]) -> None:
        """All that is to be done, with the rounds meanwhile."""

        async def one(visit: EmergencyVisit) -> None:
            await self._time.until(visit.at)
            await self._try(visit)

        if not visits:
            return
        rounds = asyncio.create_task(self._rounds())
        try:
            async with asyncio.TaskGroup() as together:
                for visit in visits:
                    together.create_task(one(visit))
        finally:
            rounds.cancel()
            with suppress(asyncio.CancelledError):
                await rounds

    async def _rounds(self) -> None:
        while True:
            await self._begin_round()
            await self._time.sleep(A_ROUND_EVERY_SECONDS)

    async def _begin_round(self) -> None:
        with suppress(Exception):
            async with asyncio.timeout(10):
                await self._land.client.get_schedule_handle(EMERGENCY_ROUNDS_ID).trigger()

    async def _try(self, visit: EmergencyVisit) -> None:
        deadline = self._time.seconds + self._patience
        while self._time.seconds < deadline:
            try:
                async with asyncio.timeout(35):
                    await self._do(visit)
            except Exception:
                await asyncio.sleep(TRIED_AGAIN_AFTER_SECONDS)
            else:
                self.done[visit.act.value] += 1
                return
        self.done["failed"] += 1

    async def _do(self, visit: EmergencyVisit) -> None:
        app, customer = self._land.app, visit.customer
        match visit.act:
            case Act.ROTATE | Act.ROTATE_SOON:
                at = app if visit.act is Act.ROTATE else _at_clock(app, SOON)
                await rotate_emergency_account(KEEPER, at, customer)
            case Act.DRILL | Act.DRILL_SOON:
                at = app if visit.act is Act.DRILL else _at_clock(app, SOON)
                await drill_emergency_account(KEEPER, at, customer)
            case Act.REVEAL:
                request = RevealRequest(tenant=customer, number=1, reason="a storm", reader=OneTimeKey().public)
                await reveal_emergency_account(KEEPER, _at_clock(app, SOON - USABLE_AFTER_REVEAL), request)
            case Act.TERMINATE:
                id = emergency_workflow_id(customer_id(customer))
                await self._land.client.get_workflow_handle(id).terminate("a wrong button")

    async def settle(self, patience: timedelta) -> None:
        """Wait until nothing is due any more; not for ever, since nothing may come of it."""
        fewest, patient_until = len(self._land.customers) + 1, now()
        while True:
            await self._begin_round()
            async with self._land.app.ledger.transaction() as session:
                left = len(await emergency.tenants(session, now() + SOON))
            if left < fewest:
                fewest, patient_until = left, now() + patience
            if not left or now() > patient_until:
                return
            await asyncio.sleep(2)

    async def last_drill(self, account: EmergencyAccount) -> EmergencyAccount:
        """The same, with what comes of trying its sealed passkey."""
        ref = EmergencyRef(
            tenant_id=TenantId(customer_id(account.customer)), tenant=account.customer, number=account.number
        )
        try:
            attempt = await EmergencySteps(self._land.app, signs_in(self._land.app)).drill(ref)
        except Exception as error:
            return replace(account, last_drill=f"{type(error).__name__}: {error}")
        return replace(account, last_drill=f"{attempt.outcome} {attempt.detail}".rstrip())


def _at_clock(app: App, ahead: timedelta) -> App:
    def clock() -> datetime:
        return now() + ahead

    return variant(app, clock=clock)
