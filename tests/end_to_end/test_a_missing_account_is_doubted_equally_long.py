"""A 404 may come from a replica that is behind, so an account counts as gone only once it was missed for long enough.

The steps of a workflow waited for ten minutes or four tries; an emergency stop never believed it; a reconciliation
believed the first 404, and released the place of a technician whose account was open.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

from activities.closing import ClosingActivities
from activities.provisioning import ProvisioningActivities
from entra_jit.accounts.backend import Backend
from entra_jit.accounts.reconciliation.reconcile_tenant import TenantReconciliation
from entra_jit.accounts.stopping import GrantStop
from entra_jit.graph import NotYetVisibleError
from entra_jit.ledger import grants, requests
from entra_jit.ledger.fences import Fenced
from entra_jit.ledger.rows import as_grant
from entra_jit.policy.missing import DOUBTED_FOR
from models.messages import AccountToClose, Grant, GrantRef, GrantState, ObjectId, TenantId
from tests.end_to_end.tries import Tries
from tests.stage import Scene, customer_id, stage_clock, variant

A_WHILE = timedelta(seconds=60)
"""Longer than this test takes to ask everything once."""

Gone = Callable[[], Awaitable[bool]]
"""Whether the account counts as gone now."""


class Clock:
    """Some time ahead of the stage's."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return stage_clock() + self.ahead


async def opened_and_purged(act: Scene) -> tuple[Grant, ObjectId]:
    """A grant whose account an administrator has deleted, and taken out of the bin."""
    request_id = await act.ask()
    await act.until(request_id, GrantState.OPEN)
    user = act.user() or {}
    act.control("DELETE", f"/tenants/{act.customer}/users/{user['id']}?purge=true")
    act.a_while_later()
    async with act.app.ledger.transaction() as session:
        request, row = await requests.by_id(session, request_id), await grants.by_id(session, request_id)
    assert request is not None
    assert row is not None
    return as_grant(request, row), ObjectId(user["id"])


def closing_step(backend: Backend, act: Scene, grant: Grant, object_id: ObjectId) -> Gone:
    # It has failed for an hour, for other reasons, before the account is first missed.
    tries = Tries(stage_clock() - timedelta(hours=1))
    account = AccountToClose(grant=grant, object_id=object_id)

    async def gone() -> bool:
        with suppress(NotYetVisibleError):
            try:
                closed = await tries.run(ClosingActivities(backend).close, account)
            finally:
                act.sql("UPDATE grants SET closing_at = NULL")  # the others are to be asked about an open grant
            return bool(closed.standing.vanished)
        return False

    return gone


def provisioning_step(backend: Backend, grant: Grant, object_id: ObjectId) -> Gone:
    tries = Tries(stage_clock())
    ref = GrantRef(request_id=grant.request_id, attempt=1)

    async def gone() -> bool:
        with suppress(NotYetVisibleError):
            ready = await tries.run(ProvisioningActivities(backend).ready, ref)
            return bool(ready.object_id != object_id)
        return False

    return gone


def emergency_stop(backend: Backend, grant: Grant, object_id: ObjectId) -> Gone:
    at = stage_clock()
    fenced = Fenced(
        grant=grant, object_id=object_id, mark=None, fenced_at=at, lease_until=None, opened_at=at, is_parked=False
    )
    stop = GrantStop(backend, fenced, "a test", even_if_held=True)

    async def gone() -> bool:
        with suppress(NotYetVisibleError):
            return not await stop.disable()
        return False

    return gone


def reconciler(backend: Backend, act: Scene) -> Gone:
    async def gone() -> bool:
        report = await TenantReconciliation(backend).reconcile(TenantId(customer_id(act.customer)), act.customer)
        assert report.failed is None
        return any("gone from the directory" in sentence for sentence in report.reported)

    return gone


async def test_whoever_misses_an_account_doubts_it_equally_long(real_time: Scene) -> None:
    grant, object_id = await opened_and_purged(real_time)
    clock = Clock()
    backend = variant(real_time.app, clock=clock)
    callers = {
        "closing": closing_step(backend, real_time, grant, object_id),
        "emergency stop": emergency_stop(backend, grant, object_id),
        "reconciler": reconciler(backend, real_time),
        "provisioning": provisioning_step(backend, grant, object_id),  # the last: it forgets an account that is gone
    }

    async def believed() -> set[str]:
        return {name for name, gone in callers.items() if await gone()}

    assert await believed() == set()
    clock.ahead = DOUBTED_FOR - A_WHILE
    assert await believed() == set()
    clock.ahead = DOUBTED_FOR + A_WHILE
    assert await believed() == set(callers)
