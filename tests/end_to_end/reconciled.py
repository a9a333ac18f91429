"""A scene's customer reconciled, as it would be after so much time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from activities.reconcile_tenant import TenantReconciliation
from models.messages import TenantId, TenantReport
from tests.stage import Scene, customer_id, everywhere, stage_clock

RUNS_IN_TROUBLE = 4


async def reconciled_once(act: Scene, *, later: timedelta = timedelta(0)) -> TenantReport:
    """What one run of the reconciliation reports."""
    act.a_while_later()
    workplace = replace(act.workplace, clock=lambda: stage_clock() + later)
    return await TenantReconciliation(workplace).reconcile(TenantId(customer_id(act.customer)), act.customer)


async def reconciled(act: Scene, *, later: timedelta = timedelta(0)) -> TenantReport:
    """As ``reconciled_once``; but what Microsoft puts off in a run is left to the next, which is minutes later."""
    report = await reconciled_once(act, later=later)
    for _ in range(RUNS_IN_TROUBLE - 1 if everywhere.lag else 0):
        if report.failed is None:
            break
        report = await reconciled_once(act, later=later)
    return report
