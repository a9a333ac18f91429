"""A laptop is stolen or a technician's account is taken over: one command closes everything, and it stays closed.

The stop must work whatever else is broken. A stop that waits for Temporal closes nothing while Temporal is down; one
that misses the grant that is just being opened leaves open the account that counts; one that the next request can get
around is no stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta

import pytest

from entra_jit.accounts.reconciliation.reconcile_tenant import TenantReconciliation
from entra_jit.app import App
from entra_jit.operations.close_all import close_all
from entra_jit.operations.extend_access import extend_access
from entra_jit.operations.lift_stop import lift_stop
from entra_jit.operations.list_holds import list_holds
from entra_jit.operations.retry_provisioning import retry_provisioning
from entra_jit.operations.show_receipt import show_receipt
from models.errors import RefusedError
from models.holds import StoppedGrant, StopReport, StopState
from models.messages import GrantState, TenantId
from tests.actors import TESTER, operator
from tests.end_to_end.grant_calls import CLOSING_WRITES, OPENING_WRITES
from tests.patience import PATIENCE_SECONDS
from tests.stage import ELEVATE, Scene, Services, customer_id, scene, stage_clock, variant
from tests.temporal_away import without_temporal

WHY = "a laptop was stolen"


@pytest.fixture
async def two_customers(services: Services) -> AsyncIterator[Scene]:
    async with scene(services, customers=2, skips_time=False) as made:
        yield made


async def stop(act: Scene, app: App | None = None, **whom: str) -> StopReport:
    """Stop, of this scene's first customer where nothing else is said."""
    whom = whom or {"tenant": act.customer}
    patience = timedelta(seconds=PATIENCE_SECONDS)
    return await close_all(operator("kim"), app or act.app, reason=WHY, patience=patience, **whom)


async def opened(act: Scene, *technicians: str) -> list[str]:
    """A grant for each."""
    asked = [await act.ask(technician) for technician in technicians]
    for request_id in asked:
        await act.until(request_id, GrantState.OPEN)
    return asked


async def test_what_is_in_scope_closes_and_stays_closed_until_it_is_lifted(two_customers: Scene) -> None:
    act = two_customers
    here, elsewhere = act.customers
    first, second = await opened(act, "alex", "robin")
    other = await act.ask("alex", customer=elsewhere)
    await act.until(other, GrantState.OPEN)
    counts: list[list[StopState]] = []

    def tell(grants: Iterable[StoppedGrant]) -> None:
        counts.append([grant.state for grant in grants])

    report = await close_all(operator("kim"), act.app, reason=WHY, tenant=here, tell=tell)

    assert report.is_proven
    assert {grant.request_id for grant in report.grants} == {first, second}
    assert counts[0] == [StopState.OPEN] * 2
    assert counts[-1] == [StopState.CLOSED] * 2
    for technician in ("alex", "robin"):
        act.assert_closed(act.account(technician))
    for request_id in (first, second):
        receipt = await act.receipt(request_id)
        assert receipt.ending.sentence == f"Ended by kim: {WHY}"
        assert receipt.proof.is_proven
    assert (await act.status(other)).state is GrantState.OPEN, "the other customer is none of this stop's business"

    # Blocked, with the sentence, and stopping again changes nothing.
    denied = await act.ask("robin")
    assert (
        f"is stopped since {report.stop.since:%Y-%m-%d %H:%M:%SZ} by kim: {WHY}."
        in (await act.until(denied, GrantState.DENIED)).sentence
    )
    again = await close_all(operator("robin"), act.app, reason="another reason", tenant=here)
    assert (again.stop, again.grants, again.is_proven) == (report.stop, (), True)
    assert await list_holds(TESTER, act.app) == [report.stop]

    # One technician, in every tenant.
    everywhere = await stop(act, technician="alex")
    assert [grant.request_id for grant in everywhere.grants] == [other]
    assert everywhere.is_proven
    act.assert_closed(customer=elsewhere)
    assert not await lift_stop(operator("kim"), act.app), "there is none of everybody"
    assert await lift_stop(operator("kim"), act.app, tenant=here)
    assert not await lift_stop(operator("kim"), act.app, tenant=here)
    await opened(act, "robin")
    assert "alex" in (await act.until(await act.ask("alex"), GrantState.DENIED)).sentence


@pytest.mark.exact("wants its proof sooner than Microsoft's limits may allow")
async def test_without_temporal_accounts_are_closed_proven_and_settled(real_time: Scene) -> None:
    act = real_time
    alex, robin = await opened(act, "alex", "robin")

    report = await stop(act, without_temporal(act.app))

    assert report.is_proven
    assert report.unheard is not None
    for technician in ("alex", "robin"):
        act.assert_closed(act.account(technician))
    for request_id in (alex, robin):
        receipt = await show_receipt(TESTER, act.app, request_id)
        assert receipt.ending.sentence == f"Ended by kim: {WHY}"
        assert receipt.proof.is_proven
        assert receipt.alarms
    assert not act.sql("SELECT 1 FROM sealed_credentials")

    # The workflow that knows of nothing ends later, and takes nothing from the technician's next grant.
    await lift_stop(operator("kim"), act.app, tenant=act.customer)
    next_one, *_ = await opened(act, "alex")
    await act.workflow(alex).signal("end")
    await act.workflow(alex).result()
    assert (await act.status(next_one)).state is GrantState.OPEN
    assert act.user()["enabled"]  # type: ignore[index]
    assert act.user()["roles"]  # type: ignore[index]
    assert (await show_receipt(TESTER, act.app, alex)).ending.by == operator("kim")


async def test_a_grant_that_is_just_being_prepared_is_not_forgotten(services: Services) -> None:
    """The step is on its way to Microsoft when the stop comes, and arrives after the account was first shut."""
    steps, ways = ("assign a role", "enable"), ("with Temporal", "without Temporal")
    async with scene(services, customers=len(steps) * len(ways), skips_time=False) as act:
        # Shorter than a step may really take: so long each stop waits for what may be under way.
        act.app = variant(act.app, provisioning_step=timedelta(seconds=8))

        async def stopped(customer: str, step: str, way: str) -> None:
            told = way == "with Temporal"
            app = act.app if told else without_temporal(act.app)
            under_way = act.hold(customer=customer, **OPENING_WRITES[step])
            request_id = await act.ask(customer=customer)
            await act.reached(under_way)
            shutting = act.fault(customer=customer, **CLOSING_WRITES["disable"], delay=0)

            stopping = asyncio.create_task(stop(act, app, tenant=customer))
            await act.reached(shutting)
            await act.lands(under_way)
            report = await stopping

            assert [grant.request_id for grant in report.grants] == [request_id]
            assert report.is_proven, report
            act.assert_closed(customer=customer)
            receipt = await act.receipt(request_id) if told else await show_receipt(TESTER, act.app, request_id)
            assert WHY in receipt.ending.sentence, "by the one who stopped it, or by the ledger, which names the stop"
            await asyncio.sleep(2)
            act.assert_closed(customer=customer)

        cases = [(step, way) for step in steps for way in ways]
        await asyncio.gather(*(stopped(customer, *case) for customer, case in zip(act.customers, cases, strict=True)))


async def test_while_no_worker_runs_accounts_are_closed_and_workflows_settle_later(real_time: Scene) -> None:
    act = real_time
    (alex,) = await opened(act, "alex")
    act.fault(**OPENING_WRITES["assign a role"], app=ELEVATE, status=403)
    parked = await act.ask("robin")
    await act.until(parked, GrantState.PARKED)
    await act.stop_worker(act.workers[0])

    report = await stop(act)

    assert report.is_proven
    assert report.unheard is None
    act.assert_closed()
    assert (await act.status(alex)).state is GrantState.CLOSING, "its workflow was told, and has not settled it yet"
    for widening in (
        retry_provisioning(operator("robin"), act.app, parked),
        extend_access(operator("robin"), act.app, alex, timedelta(hours=1), "more"),
    ):
        with pytest.raises(RefusedError, match=f"stopped since .* by kim: {WHY}"):
            await widening

    await act.start_worker()
    for request_id in (alex, parked):
        assert (await act.receipt(request_id)).ending.sentence == f"Ended by kim: {WHY}"


@pytest.mark.exact("throttles by itself")
async def test_what_microsoft_puts_off_is_waited_for(real_time: Scene) -> None:
    act = real_time
    await opened(act, "alex")
    act.fault(method="GET", path="/users/*/authentication/methods", status=429, retry_after=2, count=3)
    patience = timedelta(seconds=4)

    report = await close_all(
        operator("kim"), without_temporal(act.app), reason=WHY, tenant=act.customer, patience=patience
    )

    assert report.is_proven, report.grants[0].sentence
    act.assert_closed()


async def test_what_could_not_be_closed_says_so_and_is_the_reconcilers(real_time: Scene) -> None:
    act = real_time
    (alex,) = await opened(act, "alex")
    await act.workflow(alex).terminate("by hand")
    act.fault(**CLOSING_WRITES["disable"], status=503)

    report = await close_all(operator("kim"), act.app, reason=WHY, tenant=act.customer, patience=timedelta(seconds=1))

    assert not report.is_proven
    assert report.grants[0].state is StopState.FAILED
    assert "503" in report.grants[0].sentence
    assert act.user()["enabled"]  # type: ignore[index]
    act.mend()
    tenant = TenantId(customer_id(act.customer)), act.customer
    at_once = await TenantReconciliation(act.app).reconcile(*tenant)
    assert WHY in at_once.closed[0], "hours before the grant would have expired"
    act.assert_closed()
    later = variant(act.app, clock=lambda: stage_clock() + timedelta(minutes=11))
    await TenantReconciliation(later).reconcile(*tenant)
    receipt = await show_receipt(TESTER, act.app, alex)
    assert receipt.ending.state is GrantState.ENDED
    assert WHY in receipt.ending.sentence
