"""What a grant costs: Graph calls and round trips, Temporal events, database statements, and time against bare httpx.

    .venv/bin/python -m benchmarks.grant_cost [--grants 20]

Everything runs on this machine, in a stack of its own, and stops by itself. Times are compared within the run: the
same directory calls are made once by the product and once by httpx alone, in turn. Sequential round trips are
counted by making the directory answer a second later and seeing how much later the account is open.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import ssl
import statistics
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import httpx
import yaml
from temporalio.api.enums.v1 import EventType

from benchmarks.bare_httpx import ELEVATE, BareVisits
from entra_jit.app import App
from entra_jit.identity.operator import operator_here
from entra_jit.ledger.database import Ledger
from entra_jit.local_stack.addresses import SANDBOX_SECRETS
from entra_jit.local_stack.stack import LocalStack
from entra_jit.logs import configure_logs
from entra_jit.operations.apply_configuration import apply_configuration
from entra_jit.operations.end_access import end_access
from entra_jit.operations.request_access import request_access
from entra_jit.operations.show_receipt import show_receipt
from entra_jit.operations.show_status import show_status
from entra_jit.policy.roles import find_role
from entra_jit.settings import adopt_environment, load_settings
from models.messages import GrantState
from worker import worker_of

CONTOSO = "c0c0c0c0-2222-4222-8222-000000000002"
DOMAIN = "contoso.onmicrosoft.com"
ROLES = ["Helpdesk Administrator", "User Administrator", "Exchange Administrator"]
DELAY_SECONDS = 1.0


@dataclass(frozen=True)
class Cost:
    """One grant, measured."""

    seconds_to_open: float
    calls_to_open: int
    calls_to_close: int
    events: int
    activities: int
    """Remote ones."""
    workflow_tasks: int
    statements: int


class Bench:
    """A deployment whose worker is this very process, so that its statements can be counted."""

    def __init__(self, app: App, ledger: Ledger, http: httpx.AsyncClient, control_url: str) -> None:
        self._app = app
        self._actor = operator_here()
        self._ledger = ledger
        self._http = http
        self._control_url = control_url
        self._seen = 0

    async def visit(self, technician: str) -> Cost:
        """Ask, open, end, settle; count everything."""
        await self._calls()
        statements = self._ledger.statements
        request_id = await self.ask(technician, timedelta(hours=1))
        while (await show_status(self._actor, self._app, request_id)).state is not GrantState.OPEN:
            await asyncio.sleep(0.02)
        calls_to_open = await self._calls()
        await end_access(self._actor, self._app, request_id)
        workflow = await self._app.workflow_of(request_id)
        await workflow.result()
        receipt = await show_receipt(self._actor, self._app, request_id)
        assert receipt.opened_at is not None
        history = [event.event_type for event in (await workflow.fetch_history()).events]
        return Cost(
            seconds_to_open=(receipt.opened_at - receipt.request.asked_at).total_seconds(),
            calls_to_open=calls_to_open,
            calls_to_close=await self._calls(),
            events=len(history),
            activities=history.count(EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED),
            workflow_tasks=history.count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED),
            statements=self._ledger.statements - statements,
        )

    async def ask(self, technician: str, duration: timedelta) -> str:
        """Ask for Contoso; the request's id."""
        return await request_access(
            self._actor,
            self._app,
            tenant="contoso",
            technician=technician,
            reason="benchmark",
            duration=duration,
        )

    async def round_trips(self, technician: str, undelayed: float) -> float:
        """Sequential Graph round trips from request to open, by what a slower directory adds to ``undelayed``."""
        fault = {"method": "*", "path": "/**", "delay": DELAY_SECONDS, "tenant": CONTOSO}
        (await self._http.post(f"{self._control_url}/faults", json=fault)).raise_for_status()
        slow = await self.visit(technician)
        (await self._http.delete(f"{self._control_url}/faults")).raise_for_status()
        return (slow.seconds_to_open - undelayed) / DELAY_SECONDS

    async def _calls(self) -> int:
        """Graph calls since the last look."""
        answer = await self._http.get(f"{self._control_url}/journal", params={"after": self._seen, "tenant": CONTOSO})
        entries: list[dict[str, Any]] = answer.json()
        self._seen = max([self._seen, *(entry["sequence"] for entry in entries)])
        return sum(entry["path"].startswith("/v1.0") for entry in entries)


async def measure(count: int) -> None:
    """Run everything in a stack in a temporary directory, and print it."""
    technicians = [f"tech-{number:03}" for number in range(count + 3)]
    async with (
        a_stack(technicians) as (stack, app, http),
        App(app.settings) as of_worker,
        worker_of(await app.temporal(), of_worker, app.settings.task_queue),
        httpx.AsyncClient(verify=trusting(stack), trust_env=False, timeout=30) as bare_http,
    ):
        bench = Bench(app, of_worker.ledger, http, stack.addresses.sandbox_control)
        bare = BareVisits(bare_http, stack.addresses, CONTOSO, DOMAIN)
        await bare.sign_in(SANDBOX_SECRETS["SANDBOX_ELEVATE_SECRET"])
        opened = await _one_by_one(bench, bare, technicians[:count], warm_up=technicians[-1])
        await _round_trips(bench, technicians[-2], opened)


@asynccontextmanager
async def a_stack(technicians: Sequence[str]) -> AsyncIterator[tuple[LocalStack, App, httpx.AsyncClient]]:
    """A stack without a worker in a temporary directory, configured, and a client that trusts its sandbox."""
    with tempfile.TemporaryDirectory(prefix="entra-jit-bench-") as directory:
        async with LocalStack(Path(directory), worker=False) as stack:
            adopt_environment(stack.environment())
            configuration = Path(directory) / "msp.yaml"
            configuration.write_text(yaml.safe_dump(configuration_of(technicians)))
            async with (
                App(load_settings()) as app,
                httpx.AsyncClient(verify=trusting(stack), trust_env=False, timeout=60) as http,
            ):
                await apply_configuration(operator_here(), app, configuration)
                yield stack, app, http


def trusting(stack: LocalStack) -> ssl.SSLContext:
    """Trusts the sandbox of the stack."""
    return ssl.create_default_context(cafile=str(stack.addresses.ca_file))


async def _one_by_one(bench: Bench, bare: BareVisits, technicians: Sequence[str], *, warm_up: str) -> dict[str, float]:
    """Measure one after the other, and print. Gives the median seconds to open of each kind."""
    roles = [find_role(name).id for name in ROLES]
    for _ in range(2):
        await bench.visit(warm_up)
        await bare.open(f"bare-{warm_up}", list(roles))
        await bare.close(f"bare-{warm_up}")
    costs: dict[str, list[Cost]] = {"first grant": [], "returning technician": []}
    floors: dict[str, list[float]] = {"first grant": [], "returning technician": []}
    for technician in technicians:
        for kind, measured in costs.items():
            measured.append(await bench.visit(technician))
            floors[kind].append(await bare.open(f"bare-{technician}", list(roles)))
            await bare.close(f"bare-{technician}")
    medians: dict[str, float] = {}
    for kind, measured in costs.items():
        opened = statistics.median(cost.seconds_to_open for cost in measured)
        floor = statistics.median(floors[kind])
        medians[kind] = opened
        print(f"\n{kind} ({len(measured)} measured, medians)")
        print(
            f"  request to open    {opened * 1000:7.0f} ms = {opened / floor:.1f} x bare httpx ({floor * 1000:.0f} ms)"
        )
        print(f"  Graph calls        {_median(c.calls_to_open for c in measured):7} to open")
        print(f"                     {_median(c.calls_to_close for c in measured):7} to close and prove")
        print(f"  Temporal events    {_median(c.events for c in measured):7}")
        print(f"  activities         {_median(c.activities for c in measured):7}")
        print(f"  workflow tasks     {_median(c.workflow_tasks for c in measured):7}")
        print(f"  SQL statements     {_median(c.statements for c in measured):7} by the worker")
    return medians


async def _round_trips(bench: Bench, technician: str, undelayed: dict[str, float]) -> None:
    print("\nsequential Graph round trips from request to open")
    for kind in ("first grant", "returning technician"):
        print(f"  {kind:<22} {await bench.round_trips(technician, undelayed[kind]):.1f}")


def configuration_of(technicians: Sequence[str]) -> dict[str, Any]:
    """Contoso, these technicians and three roles, as a configuration file says it."""
    return {
        "tenants": [
            {
                "name": "contoso",
                "id": CONTOSO,
                "account_domain": DOMAIN,
                "elevate": {"client_id": ELEVATE, "secret": {"env": "SANDBOX_ELEVATE_SECRET"}},
                "revoke": {
                    "client_id": "5e70ca7e-0000-4000-8000-000000005e70",
                    "secret": {"env": "SANDBOX_REVOKE_SECRET"},
                },
            }
        ],
        "technicians": [{"name": name, "id": str(uuid5(NAMESPACE_DNS, name))} for name in technicians],
        "role_mappings": [{"group": "all-technicians", "roles": ROLES}],
    }


def _median(values: Any) -> int:
    return int(statistics.median(values))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grants", type=int, default=20, help="technicians measured one by one (default 20)")
    arguments = parser.parse_args()
    configure_logs("console", logging.WARNING)
    asyncio.run(measure(min(arguments.grants, 200)))


if __name__ == "__main__":
    main()
