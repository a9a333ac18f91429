"""Every day every tenant is examined, the one that waits longest first; one that cannot be stops no other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from entra_jit.ledger import examinations
from entra_jit.operations.examine_tenant import examine_tenant
from models.messages import ExaminationsReport
from tests.actors import TESTER
from tests.patience import eventually
from tests.stage import REVOKE, Scene, Services, configure, scene
from workflows.examinations import TENANTS_AT_ONCE, Examinations


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


async def test_few_are_examined_at_once_and_the_slow_hold_up_no_other(services: Services) -> None:
    """500 tenants take an hour at seven seconds each; a round must not take the workers from those that close."""
    async with scene(services, customers=TENANTS_AT_ONCE + 2, skips_time=False) as made:
        slow = [made.hold(customer=name, method="GET", path="/organization") for name in made.customers]
        started = await made.services.client.start_workflow(
            Examinations.run, id=f"round-of-{made.customer}", task_queue=made.settings.task_queue
        )

        def under_way() -> list[str]:
            return [fault for fault in slow if made.hits(fault)]

        async def begins() -> bool | None:
            return bool(under_way()) or None

        await eventually(begins)
        pending = (await started.describe()).raw_description.pending_activities
        assert len(pending) == TENANTS_AT_ONCE
        first = under_way()[0]
        slow.remove(first)
        made.release(first)

        async def goes_on() -> bool | None:
            return len(under_way()) >= TENANTS_AT_ONCE or None

        await eventually(goes_on)
        made.mend()
        assert (await started.result()).tenants == len(made.customers)
