"""Hold the directories against the ledger now, without Temporal."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from entra_jit.accounts.attempts import gather_bounded
from entra_jit.accounts.reconciliation.reconcile_tenant import TenantReconciliation
from entra_jit.accounts.reconciliation.review_tenant import Reviewing
from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import reconciliation
from entra_jit.ledger.names import find_tenant
from entra_jit.operations._asking import asks
from entra_jit.policy.durations import format_duration
from models.actor import Actor
from models.errors import RefusedError
from models.messages import TenantReport, TenantReview, TenantToReconcile

AT_ONCE = 15
"""How many tenants: as many as a scheduled reconciliation has at the same time."""

REVIEWS_TAKE_AT_MOST = timedelta(minutes=2)
"""In each tenant, where all are asked: a timer starts the next run, which closes accounts, only after this one."""


@asks(Verb.RECONCILE)
async def reconcile(actor: Actor, app: App, tenant: str | None = None) -> list[TenantReport]:
    """Close what is open without a live grant, and review what is due, in one tenant or in all. Idempotent.

    Raises ``NotFoundError``, or ``RefusedError`` for one that is disconnected. A tenant that cannot be reconciled says
    so in its report.
    """
    async with app.ledger.transaction() as session:
        found_tenant = await find_tenant(session, tenant) if tenant is not None else None
        name = found_tenant.name if found_tenant else None
        if found_tenant and found_tenant.disconnected_at:
            raise RefusedError(f"{name} is disconnected since {found_tenant.disconnected_at:%Y-%m-%d %H:%M:%SZ}.")
        tenants = [found for found in await reconciliation.tenants(session) if name in (None, found.name)]
    by_itself, reviewing = TenantReconciliation(app), Reviewing(app)

    async def closed(found: TenantToReconcile) -> TenantReport:
        return await by_itself.reconcile(found.id, found.name)

    async def reviewed(reported: tuple[TenantToReconcile, TenantReport]) -> TenantReport:
        found, report = reported
        try:
            async with asyncio.timeout(None if tenant else REVIEWS_TAKE_AT_MOST.total_seconds()):
                review = await reviewing.review(found.id, found.name)
        except TimeoutError:
            unreviewed = f"not whole within {format_duration(REVIEWS_TAKE_AT_MOST)}; name the tenant to wait longer"
            review = TenantReview(tenant=found.name, failed=unreviewed)
        return report.model_copy(update={"reviewed": review.reviewed, "unreviewed": review.failed})

    # Everywhere what is open is closed before anything is read that has time.
    reports = await gather_bounded(AT_ONCE, closed, tenants)
    return await gather_bounded(AT_ONCE, reviewed, zip(tenants, reports, strict=True))
