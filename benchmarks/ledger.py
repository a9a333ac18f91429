"""What lists and registers cost a ledger of many years, beside what they cost a small one, in one run.

    .venv/bin/python -m benchmarks.ledger [--grants 200000] [--tenants 500]

Rows are synthetic. Times are those of this process, without a network. It fails where one takes more than 20 ms and
more than twice what it takes in the small ledger: either may happen on a busy machine, both mean something.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from benchmarks.deployment import a_postgres, print_load
from entra_jit.ledger import orphaned_grants, reconciliation, reviews
from entra_jit.ledger.database import Ledger
from entra_jit.local_stack.postgres import Postgres
from tests.databases import new_database
from tests.ledger.books import KEYRING, NOON, Books
from tests.ledger.many import fill
from tests.ledger.test_lists_are_paged_by_the_database import LISTS, List

SMALL = 2_000
SLOWER, SECONDS = 2.0, 0.020


async def _register(books: Books) -> None:
    tenant = (await books.do(reconciliation.tenants))[0].id
    await books.do(reconciliation.register, KEYRING, tenant, NOON)
    await books.do(orphaned_grants.lapsed, tenant, NOON)


async def _reviews(books: Books) -> None:
    await books.do(reviews.tenants, NOON)


WORK: dict[str, List] = {"register of a tenant": _register, "tenants with a review due": _reviews, **LISTS}


@asynccontextmanager
async def _filled(postgres: Postgres, tenants: int, grants: int) -> AsyncIterator[Books]:
    url = new_database(postgres.url)
    fill(url, now=NOON, tenants=tenants, technicians=50, receipts=grants, live=60)
    async with Ledger(SecretStr(url)) as ledger:
        yield Books(ledger)


async def _seconds(work: List, books: Books) -> float:
    began = time.perf_counter()
    await work(books)
    return time.perf_counter() - began


async def main(tenants: int, grants: int, times: int) -> int:
    """Print all of it, and fail where the large ledger is slow."""
    slow = 0
    print_load()
    async with (
        a_postgres() as postgres,
        _filled(postgres, tenants, SMALL) as small,
        _filled(postgres, tenants, grants) as large,
    ):
        print(f"{'':<38} {SMALL:>9} {grants:>9} grants")
        for name, work in WORK.items():
            # By turns, so that what else the machine does slows both.
            both = [(await _seconds(work, small), await _seconds(work, large)) for _ in range(times)]
            few, many = (statistics.median(one[ledger] for one in both) for ledger in (0, 1))
            print(f"{name:<38} {few * 1000:>6.1f} ms {many * 1000:>6.1f} ms {many / few:>6.2f}")
            slow += many > SECONDS and many / few > SLOWER
    print_load()
    return int(slow > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, default=500)
    parser.add_argument("--grants", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=20)
    chosen = parser.parse_args()
    sys.exit(asyncio.run(main(chosen.tenants, chosen.grants, chosen.times)))
