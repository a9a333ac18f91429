"""The weather: a forecast of troubles, the same for the same seed, and what makes each of them happen."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from entra_jit.local_stack.child import StackError
from tests.chaos.land import Land
from tests.chaos.outages import CLOSING_GOES_ON, Kind, OutageLog
from tests.chaos.storm_time import StormTime

EVERYWHERE = {
    Kind.WORKER_KILLED: (0.0, 4.0),
    Kind.WORKER_AWAY: (8.0, 16.0),
    Kind.TEMPORAL_KILLED: (0.0, 4.0),
    Kind.TEMPORAL_RESTARTED: (0.0, 2.0),
    Kind.POSTGRES_KILLED: (0.0, 4.0),
    Kind.POSTGRES_AWAY: (4.0, 10.0),
    Kind.POWER_CUT: (0.0, 6.0),
}
"""What everybody suffers, one after another, with the shortest and the longest time in seconds until it is mended."""

IN_A_LONG_STORM = {
    Kind.TEMPORAL_AWAY: (180.0, 190.0),
    Kind.CLOSER_KILLED: (4.0, 10.0),
    Kind.FROZEN: (3.0, 10.0),
}
"""The same, where there is time for it."""

SOMEWHERE: dict[Kind, dict[str, object]] = {
    Kind.THROTTLED: {"path": "*", "status": 429, "retry_after": 2, "rate": 0.3},
    Kind.FAILING: {"path": "*", "status": 503, "rate": 0.4},
    Kind.DARK: {"path": "/**", "status": 503},
    Kind.SIGN_IN_DOWN: {"path": "^/[^/]+/oauth2/", "status": 503},
    Kind.ANSWERS_LOST: {"path": "/**", "drop": "after", "rate": 0.3},
    Kind.REQUESTS_LOST: {"path": "/**", "drop": "before", "rate": 0.3},
    Kind.SLOW: {"path": "/**", "delay": 2.5, "rate": 0.5},
    Kind.GARBLED: {"path": "/**", "body": "html", "rate": 0.3},
    Kind.LAG: {},
    Kind.LIMITS: {},
}
"""What one customer's tenant suffers, as the sandbox's faults say it; the last two are no faults."""

BEHAVIOUR: dict[Kind, tuple[str, dict[str, object], dict[str, object]]] = {
    Kind.LAG: ("/lag", {"lag": "typical", "scale": 0.3}, {"lag": "off"}),
    Kind.LIMITS: ("/throttle", {"throttle": "0.5"}, {"throttle": "off"}),
}
"""Where the sandbox is told of these two, how much worse it gets, and how it was."""

LASTS = (3.0, 9.0)
RESTS = (3.0, 8.0)
RESTS_OF_A_TENANT = (0.0, 2.0)

Card = TypeVar("Card")


@dataclass(frozen=True)
class Trouble:
    """One trouble to come: how many seconds it lasts, and how many of rest come after it."""

    kind: Kind
    lasts: float
    rests: float
    customer: str | None = None
    seed: int = 1


Front = Iterator[Trouble]
"""Troubles one after another, without end."""


def forecast(seed: int, customers: Sequence[str], tenants_at_once: int, *, long: bool) -> tuple[Front, list[Front]]:
    """Everybody's troubles, and those of so many tenants at the same time. The same for the same seed."""
    kinds = EVERYWHERE | (IN_A_LONG_STORM if long else {})
    everybodys = _front(random.Random(f"weather {seed}"), kinds, RESTS, [None])
    lasts = dict.fromkeys(SOMEWHERE, LASTS)
    chances = [random.Random(f"weather {seed} front {number}") for number in range(tenants_at_once)]
    return everybodys, [_front(chance, lasts, RESTS_OF_A_TENANT, customers) for chance in chances]


def _front(
    chance: random.Random,
    kinds: dict[Kind, tuple[float, float]],
    rests: tuple[float, float],
    customers: Sequence[str | None],
) -> Front:
    for kind in dealt(chance, list(kinds)):
        lasts, rest = chance.uniform(*kinds[kind]), chance.uniform(*rests)
        yield Trouble(kind, lasts, rest, chance.choice(customers), chance.randrange(1_000_000))


def dealt(chance: random.Random, deck: Sequence[Card]) -> Iterator[Card]:
    """Cards from a shuffled deck, shuffled anew when it is used up: a short storm, too, has some of each."""
    while True:
        yield from chance.sample(deck, len(deck))


class Weather:
    """Makes the forecast come true, and notes what it did."""

    def __init__(self, land: Land, log: OutageLog, time: StormTime) -> None:
        self._land = land
        self._stack = land.stack
        self._log = log
        self._time = time
        self.happened: Counter[Kind] = Counter()
        self.calls_struck: Counter[Kind] = Counter()

    async def blow(self, everybodys: Front, tenants: Sequence[Front], seconds: float, crowd: Awaitable[object]) -> None:
        """Everybody's troubles for so many seconds, the tenants' for as long as people come.

        Afterwards every part runs and every fault is gone. However long a part takes to come back, there is as long a
        rest: a storm in which nothing works tries nothing.
        """
        async with asyncio.TaskGroup() as together:
            people = together.create_task(_as_task(crowd))
            together.create_task(self._everybodys(everybodys, seconds))
            for front in tenants:
                together.create_task(self._tenants(front, people))

    async def _everybodys(self, front: Front, seconds: float) -> None:
        for trouble in front:
            began = self._time.seconds
            with nullcontext() if trouble.kind in CLOSING_GOES_ON else self._time.standing_still():
                await self._happen(trouble, asyncio.sleep)
            await self._time.sleep(max(trouble.rests, self._time.seconds - began - trouble.lasts))
            if self._time.seconds > seconds:
                return

    async def _tenants(self, front: Front, people: asyncio.Task[None]) -> None:
        for trouble in front:
            await self._happen(trouble, self._time.sleep)
            await self._time.sleep(trouble.rests)
            if people.done():
                return

    async def _happen(self, trouble: Trouble, sleep: Callable[[float], Awaitable[None]]) -> None:
        self.happened[trouble.kind] += 1
        with self._log.during(trouble.kind, trouble.customer):
            async with self._trouble(trouble):
                await sleep(trouble.lasts)

    @asynccontextmanager
    async def _trouble(self, trouble: Trouble) -> AsyncIterator[None]:
        match trouble.kind:
            case Kind.WORKER_KILLED | Kind.WORKER_AWAY:
                killed = trouble.kind is Kind.WORKER_KILLED
                await self._stack.kill_worker(signal.SIGKILL if killed else signal.SIGTERM)
                yield
                await self._bring_worker_back()
            case Kind.TEMPORAL_KILLED | Kind.TEMPORAL_RESTARTED | Kind.TEMPORAL_AWAY:
                self._end("temporal", signal.SIGKILL if trouble.kind is Kind.TEMPORAL_KILLED else signal.SIGTERM)
                yield
                await self._stack.restart_temporal()
            case Kind.CLOSER_KILLED:
                await self._stack.kill_closer()
                yield
                await self._stack.start_closer()
            case Kind.POSTGRES_KILLED:
                self._end("postgres", signal.SIGKILL)
                yield
                await self._bring_postgres_back()
            case Kind.POSTGRES_AWAY:
                await self._stack.stop_postgres()
                yield
                await self._bring_postgres_back()
            case Kind.POWER_CUT:
                self._end("temporal", signal.SIGKILL)
                self._end("postgres", signal.SIGKILL)
                await self._stack.kill_worker()
                yield
                await asyncio.gather(self._stack.restart_temporal(), self._bring_postgres_back())
                await self._bring_worker_back()
            case Kind.FROZEN:
                with self._frozen():
                    yield
            case Kind.LAG | Kind.LIMITS:
                path, worse, as_before = BEHAVIOUR[trouble.kind]
                await self._land.control("POST", path, tenant=trouble.customer, **worse)
                yield
                await self._land.control("POST", path, tenant=trouble.customer, **as_before)
            case _:
                wanted = {**SOMEWHERE[trouble.kind], "tenant": trouble.customer}
                if "rate" in wanted:
                    wanted["seed"] = trouble.seed
                fault = (await self._land.control("POST", "/faults", **wanted))["id"]
                yield
                struck = {one["id"]: one["hits"] for one in await self._land.control("GET", "/faults")}
                self.calls_struck[trouble.kind] += struck[fault]
                await self._land.control("DELETE", f"/faults/{fault}")

    @contextmanager
    def _frozen(self) -> Iterator[None]:
        frozen = "worker", "closer", "temporal"
        for part in frozen:
            self._end(part, signal.SIGSTOP)
        try:
            yield
        finally:
            for part in frozen:
                self._end(part, signal.SIGCONT)

    def _end(self, part: str, with_signal: signal.Signals) -> None:
        """By its process id, behind the stack's back, as a crash or a suspension would."""
        os.kill(self._stack.addresses.pids[part], with_signal)  # type: ignore[index]

    async def _bring_postgres_back(self) -> None:
        await self._stack.stop_postgres()
        await self._stack.start_postgres()

    async def _bring_worker_back(self) -> None:
        """As a supervisor does: again and again, for it cannot start while what it needs is away."""
        for _ in range(5):
            try:
                await self._stack.start_worker()
            except StackError:
                await asyncio.sleep(0.5)
            else:
                return
        await self._stack.start_worker()


async def _as_task(awaited: Awaitable[object]) -> None:
    await awaited
