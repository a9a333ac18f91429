"""How many grants a second a worker opens, many at once, against a bare workflow with as many activities.

    .venv/bin/python -m benchmarks.throughput [--grants 100] [--at-once 50]

Grants are opened, ended and proven closed. The bare workflow has as many activities as a grant, one after another, that
do nothing: what Temporal alone costs here. Both are run by this process, one after the other. Everything runs on this
machine, in a stack of its own, and stops by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from functools import partial
from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.worker import Worker

from benchmarks.bare_workflow import Bare, nothing
from benchmarks.deployment import a_stack, ask, processor_seconds, until_open
from entra_jit.app import App
from entra_jit.identity.operator import operator_here
from entra_jit.local_stack.stack import LocalStack
from entra_jit.logs import configure_logs
from entra_jit.operations.end_access import end_access
from worker import worker_of

BARE = "bare"


async def measure(count: int, at_once: int) -> None:
    """Run both, and print them."""
    technicians = [f"tech-{number:04}" for number in range(count + 1)]
    async with (
        a_stack(technicians) as (stack, app, _),
        App(app.settings) as of_worker,
        worker_of(await app.temporal(), of_worker, app.settings.task_queue),
        Worker(await app.temporal(), task_queue=BARE, workflows=[Bare], activities=[nothing]),
    ):
        client = await app.temporal()
        activities = await _activities(client, await _grant(app, technicians[-1]))
        grants = await _rate(stack, at_once, (partial(_grant, app, who) for who in technicians[:count]))
        bare = await _rate(stack, at_once, (partial(_bare, client, activities) for _ in range(count)))
    print(f"{count} grants, {at_once} at once, {activities} activities each")
    _print("grants, opened and proven closed", *grants)
    _print("bare workflows", *bare)
    print(f"ratio: {grants[0] / bare[0]:.2f} of the rate of bare workflows")


async def _grant(app: App, technician: str) -> str:
    """One grant from the request to its receipt; its workflow's id."""
    request_id = await ask(app, technician, timedelta(hours=1))
    await until_open(app, request_id, look_every=0.5)
    await end_access(operator_here(), app, request_id)
    handle = await app.workflow_of(request_id)
    await handle.result()
    return handle.id


async def _bare(client: Client, activities: int) -> None:
    await client.execute_workflow(Bare.run, activities, id=f"bare/{uuid4()}", task_queue=BARE)


async def _activities(client: Client, workflow_id: str) -> int:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return sum(event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED for event in history.events)


async def _rate(
    stack: LocalStack, at_once: int, work: Iterable[Callable[[], Awaitable[object]]]
) -> tuple[float, float, float, float]:
    """How many were done a second, and the processor seconds of each: here, in Temporal and in PostgreSQL."""
    places, work = asyncio.Semaphore(at_once), list(work)
    pids = stack.addresses.pids["temporal"], stack.addresses.pids["postgres"]

    async def one(do: Callable[[], Awaitable[object]]) -> None:
        async with places:
            await do()

    def used() -> list[float]:
        return [time.process_time(), *map(processor_seconds, pids)]

    before, began = used(), time.monotonic()
    await asyncio.gather(*map(one, work))
    took = time.monotonic() - began
    here, temporal, postgres = ((after - first) / len(work) for first, after in zip(before, used(), strict=True))
    return len(work) / took, here, temporal, postgres


def _print(what: str, rate: float, *seconds: float) -> None:
    here, temporal, postgres = (round(one * 1000) for one in seconds)
    print(f"{what:<34} {rate:5.1f} a second; processor time {here} + {temporal} + {postgres} ms (Temporal, PostgreSQL)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grants", type=int, default=100, help="how many in all (default 100)")
    parser.add_argument("--at-once", type=int, default=50, help="how many beside one another (default 50)")
    arguments = parser.parse_args()
    configure_logs("console", logging.ERROR)
    asyncio.run(measure(arguments.grants, arguments.at_once))


if __name__ == "__main__":
    main()
