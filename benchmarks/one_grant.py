"""What one grant costs: time to open against the bare sequence of calls, round trips, events, SQL, processor time.

    .venv/bin/python -m benchmarks.one_grant [--grants 10] [--delay 0.15]

Everything runs on this machine, in a stack of its own, and stops by itself. The directory answers ``--delay`` seconds
late, as Microsoft's does. The same calls are made in turn by the product and by httpx alone; what counts is their
ratio. Round trips one after another are counted by letting the directory answer a second later still. Beside it stands
what a portal adds: one signal-with-start, against a bare one.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
from temporalio.api.enums.v1 import EventType

from benchmarks.bare_httpx import BareVisits
from benchmarks.deployment import CONTOSO, DOMAIN, ROLES, a_client, a_stack, ask, until_open
from entra_jit.app import App
from entra_jit.identity.operator import operator_here
from entra_jit.ledger.database import Ledger
from entra_jit.local_stack.addresses import SANDBOX_SECRETS
from entra_jit.logs import configure_logs
from entra_jit.operations.end_access import end_access
from entra_jit.operations.show_receipt import show_receipt
from entra_jit.policy.roles import find_role
from models.names import ACCESS_GRANT
from worker import worker_of

KINDS = ("first grant", "returning technician")
LATER = 1.0
"""Seconds that the directory answers later, to count round trips."""


@dataclass(frozen=True)
class Cost:
    """One grant, measured."""

    seconds_to_ask: float
    seconds_to_open: float
    calls_to_open: int
    calls_to_close: int
    events: int
    activities: int
    """Remote ones."""
    workflow_tasks: int
    statements: int
    processor_seconds: float
    """Of this process, which is worker and command line."""


class Bench:
    """A deployment whose worker is this very process, so that its statements can be counted."""

    def __init__(self, app: App, ledger: Ledger, http: httpx.AsyncClient, control_url: str) -> None:
        self._app = app
        self._actor = operator_here()
        self._ledger = ledger
        self._http = http
        self._control_url = control_url
        self._seen = 0

    async def answer_late(self, seconds: float) -> None:
        """Have the directory answer so late from now on."""
        (await self._http.delete(f"{self._control_url}/faults")).raise_for_status()
        fault = {"method": "*", "path": "/**", "delay": seconds, "tenant": CONTOSO}
        (await self._http.post(f"{self._control_url}/faults", json=fault)).raise_for_status()

    async def visit(self, technician: str) -> Cost:
        """Ask, open, end, settle; count everything."""
        await self._calls()
        statements, used, began = self._ledger.statements, time.process_time(), time.monotonic()
        request_id = await ask(self._app, technician, timedelta(hours=1))
        asked = time.monotonic() - began
        await until_open(self._app, request_id)
        calls_to_open = await self._calls()
        await end_access(self._actor, self._app, request_id)
        workflow = await self._app.workflow_of(request_id)
        await workflow.result()
        receipt = await show_receipt(self._actor, self._app, request_id)
        assert receipt.opened_at is not None
        history = [event.event_type for event in (await workflow.fetch_history()).events]
        return Cost(
            seconds_to_ask=asked,
            seconds_to_open=(receipt.opened_at - receipt.request.asked_at).total_seconds(),
            calls_to_open=calls_to_open,
            calls_to_close=await self._calls(),
            events=len(history),
            activities=history.count(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED),
            workflow_tasks=history.count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED),
            statements=self._ledger.statements - statements,
            processor_seconds=time.process_time() - used,
        )

    async def bare_start(self) -> float:
        """Seconds of a signal-with-start of the same size that no worker takes."""
        client, began = await self._app.temporal(), time.monotonic()
        workflow = await client.start_workflow(
            ACCESS_GRANT,
            id=f"bare/{uuid4()}",
            task_queue="nothing-listens-here",
            start_signal="request_access",
            start_signal_args=["x" * 1000],
        )
        took = time.monotonic() - began
        await workflow.terminate()
        return took

    async def _calls(self) -> int:
        """Graph calls since the last look."""
        answer = await self._http.get(f"{self._control_url}/journal", params={"after": self._seen, "tenant": CONTOSO})
        entries: list[dict[str, Any]] = answer.json()
        self._seen = max([self._seen, *(entry["sequence"] for entry in entries)])
        return sum(entry["path"].startswith("/v1.0") for entry in entries)


async def measure(count: int, delay: float) -> None:
    """Run everything in a stack in a temporary directory, and print it."""
    technicians = [f"tech-{number:03}" for number in range(count + 2)]
    async with (
        a_stack(technicians) as (stack, app, http),
        App(app.settings) as of_worker,
        worker_of(await app.temporal(), of_worker, app.settings.task_queue),
        a_client(stack) as bare_http,
    ):
        bench = Bench(app, of_worker.ledger, http, stack.addresses.sandbox_control)
        bare = BareVisits(bare_http, stack.addresses, CONTOSO, DOMAIN)
        await bare.sign_in(SANDBOX_SECRETS["SANDBOX_ELEVATE_SECRET"])
        await _visits(bench, bare, technicians[-1:])
        await bench.answer_late(delay)
        costs, floors = await _visits(bench, bare, technicians[:count])
        starts = [await bench.bare_start() for _ in range(max(count, 5))]
        _print(costs, floors, starts, delay)
        await bench.answer_late(delay + LATER)
        print("\nsequential Graph round trips from request to open")
        for kind in KINDS:
            later = (await bench.visit(technicians[-2])).seconds_to_open - _median(
                cost.seconds_to_open for cost in costs[kind]
            )
            print(f"  {kind:<22} {later / LATER:.1f}")


async def _visits(
    bench: Bench, bare: BareVisits, technicians: Sequence[str]
) -> tuple[dict[str, list[Cost]], dict[str, list[float]]]:
    """Each technician twice, by the product and by httpx alone in turn."""
    roles = [find_role(name).id for name in ROLES]
    costs, floors = defaultdict[str, list[Cost]](list), defaultdict[str, list[float]](list)
    for technician in technicians:
        for kind in KINDS:
            costs[kind].append(await bench.visit(technician))
            floors[kind].append(await bare.open(f"bare-{technician}", list(roles)))
            await bare.close(f"bare-{technician}")
    return costs, floors


def _print(costs: dict[str, list[Cost]], floors: dict[str, list[float]], starts: Sequence[float], delay: float) -> None:
    for kind, measured in costs.items():
        opened, floor = _median(cost.seconds_to_open for cost in measured), _median(floors[kind])
        print(f"\n{kind} ({len(measured)} measured, medians, {delay * 1000:.0f} ms a directory call)")
        print(
            f"  request to open    {opened * 1000:7.0f} ms = {opened / floor:.2f} x bare httpx ({floor * 1000:.0f} ms)"
        )
        print(f"  Graph calls        {_median(c.calls_to_open for c in measured):7.0f} to open")
        print(f"                     {_median(c.calls_to_close for c in measured):7.0f} to close and prove")
        print(f"  Temporal events    {_median(c.events for c in measured):7.0f}")
        print(f"  activities         {_median(c.activities for c in measured):7.0f}")
        print(f"  workflow tasks     {_median(c.workflow_tasks for c in measured):7.0f}")
        print(f"  SQL statements     {_median(c.statements for c in measured):7.0f} by the worker")
        print(f"  processor time     {_median(c.processor_seconds for c in measured) * 1000:7.0f} ms of this process")
    asked, bare = _median(cost.seconds_to_ask for measured in costs.values() for cost in measured), _median(starts)
    print("\nasking: what a portal adds")
    print(f"  request            {asked * 1000:7.0f} ms = {asked / bare:.1f} x a bare start ({bare * 1000:.0f} ms)")


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grants", type=int, default=10, help="technicians measured one by one (default 10)")
    parser.add_argument("--delay", type=float, default=0.15, help="seconds of a directory call (default 0.15)")
    arguments = parser.parse_args()
    configure_logs("console", logging.WARNING)
    asyncio.run(measure(min(arguments.grants, 200), arguments.delay))


if __name__ == "__main__":
    main()
