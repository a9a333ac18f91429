"""Every day every tenant is examined, the one that waits longest first; one that cannot be stops no other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from entra_jit.ledger import examinations
from entra_jit.operations.examine_tenant import examine_tenant
from models.messages import ExaminationsReport
from tests.actors import TESTER
from tests.stage import REVOKE, Scene, Services, configure, scene
from workflows.examinations import Examinations


@pytest.fixture
async def two(services: Services) -> AsyncIterator[Scene]:
    """Two customers, of which the second has lost our application."""
    async with scene(services, customers=2, skips_time=False) as made:
        await configure(made, max_hours=8)
        broken = made.customers[1]
        made.control("POST", f"/tenants/{broken}", service_principals=[{"app": REVOKE, "enabled": False}])
        made.a_while_later()
        yield made


async def in_turn(made: Scene) -> list[str]:
    async with made.app.ledger.transaction() as session:
        return await examinations.in_turn(session)


async def test_a_round_examines_all_and_tells_which_are_not_well(two: Scene) -> None:
    report: ExaminationsReport = await two.services.client.execute_workflow(
        Examinations.run, id=f"round-of-{two.customer}", task_queue=two.settings.task_queue
    )
    assert report.tenants == 2
    assert [(one.tenant, one.failed) for one in report.remarkable] == [(two.customers[1], ("D101",))]
    by = two.sql("SELECT DISTINCT actor->>'name' FROM events WHERE kind = 'tenant examined'")
    assert by == [("the doctor",)]


async def test_the_tenant_that_waits_longest_comes_first(two: Scene) -> None:
    first, second = two.customers
    assert await in_turn(two) == [first, second]
    await examine_tenant(TESTER, two.app, [first])
    assert await in_turn(two) == [second, first]
    await examine_tenant(TESTER, two.app, [second])
    assert await in_turn(two) == [first, second]
