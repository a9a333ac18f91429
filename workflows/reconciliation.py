"""The third clock: every few minutes, every tenant's directory is held against the ledger.

It shares no code with the grants' workflow, so that whatever breaks that one does not break this one.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.options import RECONCILING
from activities.signatures import Reconciling
from models.messages import ReconciliationReport, TenantReport, TenantToReconcile
from workflows.execution import execute
from workflows.inputs import TakesNoSignals

SHARE = 5
"""How many tenants one activity takes on."""

SHARES_AT_ONCE = 3


@workflow.defn
class Reconciliation(TakesNoSignals):
    """Closes every managed account that is open without a live grant. Started by its schedule."""

    @workflow.run
    async def run(self, *_inputs: object) -> ReconciliationReport:
        """Go through all tenants; a tenant or a share that fails never stops the others."""
        tenants = await execute(Reconciling.list_tenants, None, RECONCILING, summary="Which tenants are there?")
        at_once = asyncio.Semaphore(SHARES_AT_ONCE)

        async def one(share: list[TenantToReconcile]) -> list[TenantReport]:
            async with at_once:
                return await _reconcile(share)

        shares = [tenants[start : start + SHARE] for start in range(0, len(tenants), SHARE)]
        reports = [report for done in await asyncio.gather(*map(one, shares)) for report in done]
        return ReconciliationReport(
            tenants=len(reports),
            accounts=sum(report.looked_at for report in reports),
            closed=sum(len(report.closed) for report in reports),
            failed=sum(report.failed is not None for report in reports),
            remarkable=tuple(report for report in reports if report.closed or report.reported or report.failed),
        )


async def _reconcile(share: list[TenantToReconcile]) -> list[TenantReport]:
    try:
        return await execute(Reconciling.reconcile_tenants, share, RECONCILING, summary=_names(share))
    except ActivityError as error:
        return [TenantReport(tenant=tenant.name, failed=str(error.cause or error)) for tenant in share]


def _names(share: list[TenantToReconcile]) -> str:
    return f"{share[0].name} to {share[-1].name}" if len(share) > 1 else share[0].name
