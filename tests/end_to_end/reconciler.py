"""The reconciler's turn: as it would be after some time, run until it comes through."""

from __future__ import annotations

from datetime import timedelta

from entra_jit.accounts.reconciliation.reconcile_tenant import TenantReconciliation
from models.messages import TenantId, TenantReport
from tests.patience import eventually
from tests.stage import Scene, customer_id, stage_clock, variant


async def reconciled_once(act: Scene, customer: str | None = None, *, later: timedelta = timedelta(0)) -> TenantReport:
    """The report of a single run."""
    act.a_while_later()
    reconciliation = TenantReconciliation(variant(act.app, clock=lambda: stage_clock() + later))
    name = customer or act.customer
    return await reconciliation.reconcile(TenantId(customer_id(name)), name)


async def reconciled(act: Scene, customer: str | None = None, *, later: timedelta = timedelta(0)) -> TenantReport:
    """The report of a run that came through as a whole; what fails in one is left to the next, as always."""

    async def run() -> TenantReport | None:
        report = await reconciled_once(act, customer, later=later)
        return report if report.failed is None else None

    return await eventually(run)
