"""The crowd: who asks for what and when, and what people do to a grant that they should leave alone."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from entra_jit.operations.cancel_access import cancel_access
from entra_jit.operations.end_access import end_access
from entra_jit.operations.extend_access import extend_access
from entra_jit.operations.request_access import request_access
from entra_jit.operations.show_status import show_status
from entra_jit.policy.durations import SHORTEST
from models.messages import GrantState
from models.names import request_id, workflow_id
from tests.actors import TESTER, operator
from tests.chaos.land import NAME_IS_TAKEN, Land
from tests.chaos.outages import now
from tests.chaos.storm_time import StormTime
from tests.chaos.weather import dealt

LOOK_AGAIN_SECONDS = 1.0
REVIVED_AFTER_SECONDS = 4.0


class Deed(StrEnum):
    """What is done to a grant besides asking for it."""

    LEAVE = "left to expire"
    EXTEND = "extended"
    END = "ended"
    CANCEL = "cancelled"
    END_WHILE_PREPARING = "ended while preparing"
    CANCEL_WHILE_PREPARING = "cancelled while preparing"
    TERMINATE = "terminated by hand"
    TERMINATE_AND_REVIVE = "terminated by hand, then revived by a reset"
    RESET = "reset while open"
    RESET_WHEN_OVER = "reset when over"


DECK = [
    *[Deed.LEAVE] * 11,
    *[Deed.EXTEND, Deed.END, Deed.CANCEL, Deed.TERMINATE_AND_REVIVE, Deed.RESET] * 2,
    Deed.END_WHILE_PREPARING,
    Deed.CANCEL_WHILE_PREPARING,
    Deed.TERMINATE,
    Deed.RESET_WHEN_OVER,
]


@dataclass(frozen=True)
class Visit:
    """One technician's wish, in seconds after the storm's beginning, and what will be done to it."""

    key: str
    at: float
    customer: str
    technician: str
    duration: timedelta
    deed: Deed
    asked_twice: bool
    seed: int

    @property
    def request_id(self) -> str:
        return request_id(self.customer, self.technician, self.key)


@dataclass(frozen=True)
class Done:
    """A deed that was taken, or refused."""

    request_id: str
    deed: Deed
    at: datetime
    refused_with: str | None = None


def wishes(
    seed: int, grants: int, seconds: float, customers: Sequence[str], technicians: Sequence[str], longest: timedelta
) -> list[Visit]:
    """So many wishes, spread over so many seconds; the same for the same seed."""
    chance = random.Random(f"crowd {seed}")
    pairs = dealt(chance, [(customer, technician) for customer in customers for technician in technicians])
    deeds = dealt(chance, DECK)
    visits = []
    for number, at in enumerate(sorted(chance.uniform(0, seconds) for _ in range(grants))):
        customer, technician = next(pairs)
        visits.append(
            Visit(
                key=f"storm-{seed}-{number:03}",
                at=at,
                customer=customer,
                technician=NAME_IS_TAKEN if chance.random() < 0.03 else technician,
                duration=timedelta(seconds=chance.uniform(SHORTEST.total_seconds(), longest.total_seconds())),
                deed=next(deeds),
                asked_twice=chance.random() < 0.2,
                seed=chance.randrange(1_000_000),
            )
        )
    return visits


class Crowd:
    """Makes the wishes, as people do: what does not get through is tried again with the same request id."""

    def __init__(self, land: Land, time: StormTime, *, patience: float) -> None:
        self._land = land
        self._time = time
        self._patience = patience
        self._app = land.app
        self.asked: list[str] = []
        self.done: list[Done] = []
        self.unheard: Counter[str] = Counter()

    async def come(self, visits: Sequence[Visit]) -> None:
        """Everybody, each when it is time; returns when all have done what they wanted to."""

        async def one(visit: Visit) -> None:
            await self._time.until(visit.at)
            await self._visit(visit)

        async with asyncio.TaskGroup() as together:
            for visit in visits:
                together.create_task(one(visit))

    async def _visit(self, visit: Visit) -> None:
        chance = random.Random(visit.seed)
        await self._ask(visit)
        if visit.asked_twice:
            await self._ask(visit)
        match visit.deed:
            case Deed.LEAVE:
                return
            case Deed.END_WHILE_PREPARING | Deed.CANCEL_WHILE_PREPARING:
                await asyncio.sleep(chance.uniform(0, 1.5))
            case Deed.RESET_WHEN_OVER:
                await self._until(visit, final=True)
            case _:
                await self._until(visit, final=False)
                await asyncio.sleep(chance.uniform(0, visit.duration.total_seconds()))
        await self._do(visit, chance)

    async def _ask(self, visit: Visit) -> None:
        """Until it is heard: a request is durable once this returns, and asking again changes nothing."""
        while True:
            try:
                async with asyncio.timeout(10):
                    await request_access(
                        operator("the crowd"),
                        self._app,
                        tenant=visit.customer,
                        technician=visit.technician,
                        reason="a storm",
                        duration=visit.duration,
                        key=visit.key,
                    )
            except Exception as error:
                self.unheard[type(error).__name__] += 1
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
            else:
                if visit.request_id not in self.asked:
                    self.asked.append(visit.request_id)
                return

    async def _until(self, visit: Visit, *, final: bool) -> None:
        """Wait until the grant is open, or over; not for ever, since nothing may come of it."""
        deadline = self._time.seconds + self._patience
        while self._time.seconds < deadline:
            try:
                state = (await show_status(TESTER, self._app, visit.request_id)).state
            except Exception as error:
                self.unheard[type(error).__name__] += 1
            else:
                if state.is_final or (state is GrantState.OPEN and not final):
                    return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def _do(self, visit: Visit, chance: random.Random) -> None:
        await self._try(visit, visit.deed, chance)
        if visit.deed is Deed.TERMINATE_AND_REVIVE:
            await asyncio.sleep(REVIVED_AFTER_SECONDS)
            await self._try(visit, Deed.RESET, random.Random(0), revive=True)

    async def _try(self, visit: Visit, deed: Deed, chance: random.Random, *, revive: bool = False) -> None:
        at, refused = now(), None
        try:
            async with asyncio.timeout(35):
                await self._act(visit, deed, chance, revive=revive)
        except Exception as error:
            refused = f"{type(error).__name__}: {error}"
        self.done.append(Done(visit.request_id, deed, at, refused))

    async def _act(self, visit: Visit, deed: Deed, chance: random.Random, *, revive: bool) -> None:
        workflow = self._land.client.get_workflow_handle(workflow_id(visit.request_id))
        match deed:
            case Deed.EXTEND:
                more = timedelta(seconds=chance.uniform(5, 15))
                await extend_access(operator("the crowd"), self._app, visit.request_id, more, "not done yet")
            case Deed.END | Deed.END_WHILE_PREPARING:
                await end_access(operator("the crowd"), self._app, visit.request_id)
            case Deed.CANCEL | Deed.CANCEL_WHILE_PREPARING:
                await cancel_access(operator("the crowd"), self._app, visit.request_id)
            case Deed.TERMINATE | Deed.TERMINATE_AND_REVIVE:
                await workflow.terminate("a wrong button")
            case Deed.RESET | Deed.RESET_WHEN_OVER:
                await self._reset(visit.request_id, 1.0 if revive else chance.choice([0.0, 0.5, 1.0]))

    async def _reset(self, request_id: str, to: float) -> None:
        """As the Temporal UI does, to a task so far into the workflow's."""
        workflow = self._land.client.get_workflow_handle(workflow_id(request_id))
        tasks = [
            event.event_id
            async for event in workflow.fetch_history_events()
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
        ]
        await self._land.client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace=self._land.client.namespace,
                workflow_execution=WorkflowExecution(workflow_id=workflow.id),
                reason="a wrong button",
                workflow_task_finish_event_id=tasks[round(to * (len(tasks) - 1))],
                request_id=str(uuid4()),
            )
        )
