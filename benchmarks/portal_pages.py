"""What the portal's lists cost a big MSP, beside what they cost a small one, in one run.

500 tenants and 100,000 receipts against 5 and 1,000. Times are this process's own, without a network; what counts is
their ratio, and that a page asks as many statements in both.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import httpx
from pydantic import SecretStr

from benchmarks.deployment import a_postgres
from benchmarks.visitor import begin_session
from entra_jit.app import App
from entra_jit.identity.sessions import hashed, new_cookie
from entra_jit.local_stack.postgres import Postgres
from entra_jit.settings import Settings
from entra_jit.web.application import portal
from entra_jit.web.visitors import SESSION_COOKIE
from models.actor import Role
from tests.databases import new_database
from tests.ledger.many import fill

PAGES = (
    "/open",
    "/open?tenant=customer-3",
    "/evidence",
    "/evidence?since=",
    "/evidence?since=&tenant=customer-3",
    "/trouble",
    "/holds",
)
SLOWER = 2.0
"""Times that a page may be slower for the big one, whose lists are longer."""


@asynccontextmanager
async def opened(postgres: Postgres, tenants: int, receipts: int) -> AsyncIterator[tuple[App, httpx.AsyncClient]]:
    """A portal over a ledger of this size, visited by an admin."""
    url = new_database(postgres.url)
    settings = Settings(profile="sandbox", database_url=SecretStr(url), keys=SecretStr("k0:" + "A" * 43 + "="))
    async with App(settings) as app:
        now, cookie = app.clock(), new_cookie()
        fill(url, now=now, tenants=tenants, technicians=20, receipts=receipts, live=60)
        await begin_session(app, hashed(cookie), uuid4(), uuid4(), "benchmark", Role.ADMIN)
        web = portal(app)
        web.state.engine.is_away = True  # there is no Temporal here
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(web),
            base_url=settings.portal_url,
            headers={"Cookie": f"{SESSION_COOKIE}={cookie.get_secret_value()}"},
        ) as http:
            yield app, http


async def look(app: App, http: httpx.AsyncClient, path: str) -> tuple[float, int]:
    """How long one answer takes, in seconds, and how many statements."""
    before, began = app.ledger.statements, time.perf_counter()
    answer = await http.get(path)
    took, asked = time.perf_counter() - began, app.ledger.statements - before
    assert answer.status_code == httpx.codes.OK, answer.text
    return took, asked


async def main(tenants: int, receipts: int, times: int) -> int:
    """Print all pages, and fail where one is much slower for the big ledger, or asks more of it."""
    failed = 0
    async with AsyncExitStack() as stack:
        postgres = await stack.enter_async_context(a_postgres())
        small = await stack.enter_async_context(opened(postgres, 5, 1_000))
        big = await stack.enter_async_context(opened(postgres, tenants, receipts))
        print(f"{'page':<36} {'small':>9} {'big':>9} {'ratio':>6} {'SQL':>9}")
        for path in PAGES:
            # By turns, so that what else the machine does slows both.
            both = [(await look(*small, path), await look(*big, path)) for _ in range(times)]
            few, many = (statistics.median(one[ledger][0] for one in both) for ledger in (0, 1))
            less, more = (both[-1][ledger][1] for ledger in (0, 1))
            print(f"{path:<36} {few * 1000:>6.0f} ms {many * 1000:>6.0f} ms {many / few:>6.2f} {less:>4} {more:>4}")
            failed += many / few > SLOWER or more > less
    return int(failed > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=500)
    parser.add_argument("--receipts", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=20)
    chosen = parser.parse_args()
    sys.exit(asyncio.run(main(chosen.tenants, chosen.receipts, chosen.times)))
