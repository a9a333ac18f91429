"""How late accounts are disabled when many grants expire in the same second, against bare PATCHes in the same run.

    .venv/bin/python -m benchmarks.mass_expiry --grants 300 [--closers 1] [--without-temporal]

With Temporal the grants are opened by a worker, which closes them as well: ``--closers 0`` shows what it does alone.
``--without-temporal`` writes open grants into ledger and directory, and runs closers only. Everything runs on this
machine, in a stack of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import httpx
import psycopg

from benchmarks.bare_httpx import BareVisits
from benchmarks.deployment import CONTOSO, DOMAIN, a_stack, ask, processor_seconds, running
from entra_jit.app import App
from entra_jit.identity.operator import operator_here
from entra_jit.ledger import accounts, admission, requests
from entra_jit.local_stack.addresses import SANDBOX_SECRETS
from entra_jit.logs import configure_logs
from models.messages import AccessRequest, GrantRef, ObjectId

AT_ONCE = 32
LEAD = timedelta(seconds=8)
"""From the writing of open grants to their expiry: closers have started by then."""


async def measure(count: int, closers: int, *, with_temporal: bool) -> None:
    """Run one expiry of ``count`` grants, then as many bare PATCHes, and print both."""
    technicians = [f"tech-{number:04}" for number in range(count)]
    async with a_stack(technicians) as (stack, app, http), AsyncExitStack() as started:
        pids = [
            await started.enter_async_context(running("-m", "entra_jit.closer", environment=stack.environment()))
            for _ in range(closers)
        ]
        control = stack.addresses.sandbox_control
        if with_temporal:
            await stack.start_worker()
            await _ask(app, technicians)
        else:
            await _write_open(app, http, control, technicians)
        before = sum(map(processor_seconds, pids))
        late = await _lateness(stack.addresses.database_url, count, with_temporal=with_temporal)
        used = sum(map(processor_seconds, pids)) - before
        bare = BareVisits(http, stack.addresses, CONTOSO, DOMAIN)
        await bare.sign_in(SANDBOX_SECRETS["SANDBOX_ELEVATE_SECRET"])
        ids, began = await _ids(http, control), time.process_time()
        floor = await _bare(http, stack.addresses.graph_url, ids)
        bare_used = time.process_time() - began
    _print(f"{count} grants, {closers} closers, Temporal {'there' if with_temporal else 'away'}", late)
    _print("the same PATCHes by httpx alone", floor)
    print(f"ratio of the p99: {_at(late, 0.99) / _at(floor, 0.99):.1f}")
    print(
        f"processor time a grant: closers {used / count * 1000:.0f} ms in all, bare {bare_used / count * 1000:.0f} ms"
    )


async def _ask(app: App, technicians: Sequence[str]) -> None:
    """Ask one after another, each for so long that all end together."""
    end_after, began = timedelta(seconds=30 + 0.5 * len(technicians)), monotonic()
    for place, technician in enumerate(technicians):
        await asyncio.sleep(max(0.0, 0.35 * place - (monotonic() - began)))
        passed = timedelta(seconds=monotonic() - began)
        await ask(app, technician, end_after - passed)


async def _write_open(app: App, http: httpx.AsyncClient, control: str, technicians: Sequence[str]) -> None:
    """Open grants in ledger and directory, as if workflows had opened them that are gone by now."""
    actor, now = operator_here(), datetime.now(UTC)
    for technician in technicians:
        request = AccessRequest(
            request_id=f"r-{technician}", tenant="contoso", technician=technician, reason="benchmark", asked_at=now
        )
        async with app.ledger.transaction() as session:
            grant = (await requests.answer(session, app.keyring, request, actor, now)).grant
            assert grant is not None
            account = {"user_principal_name": grant.account_name, "display_name": technician, "enabled": True}
            answer = await http.post(f"{control}/tenants/{CONTOSO}/users", json=account)
            answer.raise_for_status()
            await accounts.intend(session, grant, now)
            await accounts.confirm(session, grant, ObjectId(answer.json()["id"]))
            ref = GrantRef(request_id=grant.request_id, attempt=grant.attempt)
            await admission.arm(session, app.keyring, ref, now)
            await admission.opened(session, grant.request_id, now)
    async with await _connection(app.settings.database_url.get_secret_value()) as connection:
        await connection.execute("UPDATE grants SET expires_at = clock_timestamp() + %s", [LEAD])


async def _lateness(database_url: str, count: int, *, with_temporal: bool) -> list[float]:
    """Seconds from expiry to the directory's answer, once all are told: by the receipts where there are some."""
    statement = (
        "SELECT extract(epoch FROM CAST(document->>'disabled_at' AS timestamptz) "
        "- CAST(document->>'expires_at' AS timestamptz)) FROM receipts WHERE document->>'disabled_at' IS NOT NULL"
        if with_temporal
        else "SELECT extract(epoch FROM disabled_at - expires_at) FROM grants WHERE disabled_at IS NOT NULL"
    )
    async with await _connection(database_url) as connection:
        while True:
            rows = await (await connection.execute(statement)).fetchall()
            if len(rows) >= count:
                return sorted(float(late) for (late,) in rows)
            await asyncio.sleep(1)


async def _connection(database_url: str) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(database_url, autocommit=True)


async def _ids(http: httpx.AsyncClient, control: str) -> list[str]:
    users = (await http.get(f"{control}/tenants/{CONTOSO}/users")).json()
    return [user["id"] for user in users if "tech-" in user["user_principal_name"]]


async def _bare(http: httpx.AsyncClient, graph_url: str, ids: Sequence[str]) -> list[float]:
    at_once, began = asyncio.Semaphore(AT_ONCE), monotonic()

    async def one(user: str) -> float:
        async with at_once:
            (await http.patch(f"{graph_url}/users/{user}", json={"accountEnabled": False})).raise_for_status()
        return monotonic() - began

    return sorted(await asyncio.gather(*map(one, ids)))


def _print(what: str, seconds: Sequence[float]) -> None:
    print(f"{what}: p50 {_at(seconds, 0.5):.2f} s, p99 {_at(seconds, 0.99):.2f} s, max {seconds[-1]:.2f} s")


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grants", type=int, default=300, help="how many expire together (default 300)")
    parser.add_argument("--closers", type=int, default=1, help="closers beside one another (default 1)")
    parser.add_argument("--without-temporal", action="store_true", help="closers alone, no worker")
    arguments = parser.parse_args()
    configure_logs("console", logging.ERROR)
    asyncio.run(measure(arguments.grants, arguments.closers, with_temporal=not arguments.without_temporal))


if __name__ == "__main__":
    main()
