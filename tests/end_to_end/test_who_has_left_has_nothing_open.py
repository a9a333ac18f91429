"""A technician or a customer who has left has nothing open: not what was opened before, nor what was asked for.

Elsewhere a person who is disabled keeps what was granted to them until it runs out, and what was decided in the morning
is opened in the afternoon by rules that are no longer in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from entra_jit.accounts.reconciliation.reconcile_tenant import TenantReconciliation
from entra_jit.operations.disconnect_tenant import DeletionNotAgreedError, disconnect_tenant
from entra_jit.operations.extend_access import extend_access
from entra_jit.operations.show_receipt import show_receipt
from models.errors import RefusedError
from models.messages import GrantState, TenantId
from tests.actors import TESTER
from tests.end_to_end.grant_calls import OPENING_WRITES
from tests.stage import Scene, Services, configure, customer_id, scene, stage_clock, variant
from tests.temporal_away import without_temporal

HELPDESK_ALONE = ({"group": "all-technicians", "roles": ["Helpdesk Administrator"]},)


@pytest.fixture
async def two_customers(services: Services) -> AsyncIterator[Scene]:
    async with scene(services, customers=2, skips_time=False) as made:
        yield made


async def test_what_is_open_ends_when_the_configuration_is_applied(two_customers: Scene) -> None:
    act = two_customers
    here, gone = act.customers
    alex, robin = await act.ask("alex"), await act.ask("robin")
    kim = await act.ask("kim", customer=gone)
    for request_id in (alex, robin, kim):
        await act.until(request_id, GrantState.OPEN)

    await configure(act, technicians=("robin", "kim"), customers=(here,))

    by_leaver, by_customer = await asyncio.gather(act.receipt(alex), act.receipt(kim))
    assert by_leaver.ending.sentence == "Ended by the configuration: alex is no longer in the configuration."
    assert by_customer.ending.sentence == f"Ended by the configuration: {gone} is no longer in the configuration."
    act.assert_closed()
    act.assert_closed(act.account("kim", gone), gone)
    assert (await act.status(robin)).state is GrantState.OPEN
    await its_accounts_can_be_deleted(act, gone)


async def its_accounts_can_be_deleted(act: Scene, gone: str) -> None:
    """By a setting, once what is deleted was shown; what was left there belonged to the customer's next audit."""
    name = act.account("kim", gone)
    usual, act.app.settings = act.app.settings, act.app.settings.model_copy(update={"delete_accounts": True})
    with pytest.raises(DeletionNotAgreedError) as refused:
        await disconnect_tenant(TESTER, act.app, gone, "they have left us")
    assert refused.value.plan.accounts == (name,)
    assert act.user(name, gone)

    outcome = await disconnect_tenant(TESTER, act.app, gone, "they have left us", agreed=refused.value.plan)

    assert (outcome.accounts_deleted, outcome.accounts_left, outcome.not_done) == ((name,), (), ())
    act.app.settings = usual


async def test_without_temporal_the_reconciler_ends_it(real_time: Scene) -> None:
    act = real_time
    alex = await act.ask()
    await act.until(alex, GrantState.OPEN)
    usual, act.app = act.app, without_temporal(act.app)
    await configure(act, technicians=("robin",))
    act.app = usual

    tenant = TenantId(customer_id(act.customer)), act.customer
    report = await TenantReconciliation(act.app).reconcile(*tenant)
    assert "alex is no longer in the configuration" in report.closed[0], "hours before it expires"
    act.assert_closed()
    later = variant(act.app, clock=lambda: stage_clock() + timedelta(minutes=11))
    await TenantReconciliation(later).reconcile(*tenant)
    receipt = await show_receipt(TESTER, act.app, alex)
    assert receipt.ending.state is GrantState.ENDED
    assert "alex is no longer" in receipt.ending.sentence


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ("UPDATE technicians SET active = false WHERE name = 'alex'", "alex is no longer in the configuration"),
        ("UPDATE tenants SET active = false", "is no longer in the configuration"),
        ("DELETE FROM group_members", "alex is no longer entitled to User Administrator"),
    ],
    ids=["the technician left", "the customer left", "a role was taken away"],
)
async def test_what_was_decided_before_is_not_opened_after(real_time: Scene, change: str, because: str) -> None:
    act = real_time
    fault = act.hold(**OPENING_WRITES["assign a role"])
    request_id = await act.ask()
    await act.reached(fault)
    act.sql(change)
    act.release(fault)

    receipt = await act.receipt(request_id)

    assert receipt.opened_at is None
    assert because in receipt.ending.sentence
    act.assert_closed()


async def test_an_open_grant_whose_role_was_taken_away_lasts_and_is_not_extended(real_time: Scene) -> None:
    act = real_time
    alex = await act.ask(hours=1)
    await act.until(alex, GrantState.OPEN)
    await configure(act, role_mappings=HELPDESK_ALONE)

    with pytest.raises(RefusedError, match="alex is no longer entitled to User Administrator"):
        await extend_access(TESTER, act.app, alex, timedelta(hours=1), "more")
    assert (await act.status(alex)).state is GrantState.OPEN
