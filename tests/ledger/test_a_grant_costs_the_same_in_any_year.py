"""The work on one grant, and on one tenant, does not grow with what was granted before.

A closing that reads the whole history of its tenant is on time in the first year. Here two tenants have all of it; no
statement of a grant's life, of a reconciliation or of a review may plan to read more than the last month.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr

from entra_jit.ledger import (
    accounts,
    admission,
    examinations,
    fences,
    grants,
    orphaned_grants,
    reconciliation,
    reviews,
    statuses,
)
from entra_jit.ledger.database import Ledger
from entra_jit.local_stack.postgres import Postgres
from models.actor import DOCTOR
from models.checks import Check, CheckState, Examination, Finding
from models.messages import ObjectId, TenantId
from tests.databases import new_database
from tests.ledger.books import KEYRING, LEASE, NOON, Books, ref, settlement_of
from tests.ledger.many import fill
from tests.ledger.test_lists_are_paged_by_the_database import LARGE, nodes, statements

GRANTS = 30_000
READ_AT_MOST = 10_000
"""Rows of one step of a plan: more than a month has, and far fewer than there are."""


@pytest.fixture(scope="module")
async def old(postgres: Postgres) -> AsyncIterator[Books]:
    url = new_database(postgres.url)
    fill(url, now=NOON, tenants=2, technicians=10, receipts=GRANTS, live=1)
    async with Ledger(SecretStr(url)) as ledger:
        books = Books(ledger)
        async with ledger.transaction() as session:
            connection = await session.connection()
            await connection.exec_driver_sql("INSERT INTO groups (name) VALUES ('all-technicians')")
            await connection.exec_driver_sql(
                "INSERT INTO role_mappings (group_name, tenant_id, kind, item_id, item_name)"
                " VALUES ('all-technicians', NULL, 'role', '729827e3-9c14-49f7-bb1b-9608f156bbb8', 'Helpdesk')"
            )
        yield books


async def a_life(books: Books) -> None:
    """One grant from the request to its receipt."""
    grant = await books.granted("technician-2", "customer-1")
    await books.do(accounts.intend, grant, NOON)
    await books.do(accounts.confirm, grant, ObjectId(str(UUID(int=7))))
    await books.do(admission.arm, KEYRING, ref(grant), NOON)
    await books.do(admission.take_lease, KEYRING, ref(grant), NOON, LEASE)
    await books.do(admission.opened, grant.request_id, NOON)
    await books.do(admission.extend, KEYRING, ref(grant), NOON + timedelta(hours=5), NOON, LEASE)
    await books.do(statuses.of_request, grant.request_id, NOON)
    await books.do(grants.by_now, KEYRING, grant)
    await books.do(fences.fence, grant.request_id, NOON, LEASE)
    await books.settle(settlement_of(grant))


async def tenant_of(books: Books) -> TenantId:
    [first, *_] = await books.do(reconciliation.tenants)
    return first.id


async def a_reconciliation(books: Books) -> None:
    """What it asks of one tenant."""
    tenant = await tenant_of(books)
    await books.do(reconciliation.register, KEYRING, tenant, NOON)
    await books.do(orphaned_grants.lapsed, tenant, NOON)


async def a_review(books: Books) -> None:
    """What is due in any tenant, and in one."""
    await books.do(reviews.tenants, NOON)
    await books.do(reviews.due, await tenant_of(books), NOON, 50)


@pytest.mark.parametrize("work", [a_life, a_reconciliation, a_review])
async def test_no_statement_reads_the_history(old: Books, work: Callable[[Books], Awaitable[None]]) -> None:
    with statements(old.ledger) as asked:
        await work(old)
    assert asked
    for statement, parameters in asked:
        async with old.ledger.transaction() as session:
            explained = await (await session.connection()).exec_driver_sql(
                f"EXPLAIN (FORMAT JSON) {statement}", parameters
            )
            [top] = explained.scalar_one()
        for node in nodes(top["Plan"]):
            what = {key: value for key, value in node.items() if key != "Plans"}, statement
            assert node["Node Type"] != "Seq Scan" or node["Relation Name"] not in LARGE, what
            assert node["Plan Rows"] <= READ_AT_MOST or node["Node Type"] == "ModifyTable", what


async def test_the_admission_says_whether_the_tenant_is_ready_in_no_statement_more(old: Books) -> None:
    """Asking apart cost each opening a statement and a transaction."""
    grant = await old.granted("technician-3", "customer-1")
    lacking = Examination(tenant="customer-1", examined_at=NOON, findings=(a_failed(Check.DIRECTORY_ROLE),))
    for is_ready in (True, False):
        with statements(old.ledger) as asked:
            assert (await old.do(admission.admit, ref(grant), NOON)).tenant_is_ready is is_ready
        assert len(asked) == 2, "the grant, and what holds it"
        await old.do(examinations.record, grant.tenant_id, lacking, DOCTOR)


def a_failed(check: Check) -> Finding:
    return Finding(check=check, state=CheckState.FAILED, read="It is missing.")
