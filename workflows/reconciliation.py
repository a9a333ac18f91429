"""The third clock: every few minutes, every tenant's directory is held against the ledger.

It shares no code with the grants' workflow, so that whatever breaks that one does not break this one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError

from activities.options import RECONCILING, REVIEWING, REVIEWING_TIME
from activities.signatures import Reconciling
from models.markdown import escape
from models.messages import ReconciliationReport, TenantReport, TenantReview, TenantToReconcile
from workflows.execution import execute
from workflows.inputs import LONGEST_NAME

SHARE = 5
"""How many tenants one activity takes on."""

SHARES_AT_ONCE = 3


@workflow.defn
class Reconciliation:
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
        reviews = await _review()
        return ReconciliationReport(
            tenants=len(reports),
            accounts=sum(report.looked_at for report in reports),
            closed=sum(len(report.closed) for report in reports),
            failed=sum(report.failed is not None for report in reports),
            remarkable=tuple(report for report in reports if report.closed or report.reported or report.failed),
            reviewed=sum(review.reviewed for review in reviews),
            unreviewed=tuple(review for review in reviews if review.failed),
        )

    @workflow.signal(dynamic=True, description="This workflow takes no signals.")
    def other_signal(self, name: str, _inputs: Sequence[RawValue]) -> None:
        """Signals without a handler would be kept in the worker's memory, in silence."""
        workflow.set_current_details(f"A signal was ignored: {escape(name[:LONGEST_NAME])}. This workflow takes none.")


async def _reconcile(share: list[TenantToReconcile]) -> list[TenantReport]:
    try:
        return await execute(Reconciling.reconcile_tenants, share, RECONCILING, summary=_names(share))
    except ActivityError as error:
        return [TenantReport(tenant=tenant.name, failed=str(error.cause or error)) for tenant in share]


async def _review() -> list[TenantReview]:
    """Read the audit for grants that have ended, after everything that had to be closed has been."""
    try:
        tenants = await execute(
            Reconciling.list_reviews, None, REVIEWING, summary="What is to be reviewed?", within=REVIEWING_TIME
        )
    except ActivityError as error:
        return [TenantReview(tenant="all", failed=str(error.cause or error))]
    shares = [tenants[start : start + SHARE] for start in range(0, len(tenants), SHARE)]
    return [review for done in await asyncio.gather(*map(_review_share, shares)) for review in done]


async def _review_share(share: list[TenantToReconcile]) -> list[TenantReview]:
    try:
        summary = f"Read the audit of {_names(share)}"
        return await execute(Reconciling.review_tenants, share, REVIEWING, summary=summary, within=REVIEWING_TIME)
    except ActivityError as error:
        return [TenantReview(tenant=tenant.name, failed=str(error.cause or error)) for tenant in share]


def _names(share: list[TenantToReconcile]) -> str:
    return f"{share[0].name} to {share[-1].name}" if len(share) > 1 else share[0].name
