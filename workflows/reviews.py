"""The look back: every few minutes, the audit of the tenants in which grants have ended is read for them.

It has its own schedule, since reading the log of a large tenant takes minutes, and what closes accounts must not wait.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.options import RECONCILING, REVIEWING
from activities.signatures import Reconciling
from models.messages import ReviewsReport, TenantReview, TenantToReconcile
from workflows.execution import execute
from workflows.inputs import TakesNoSignals

TENANTS_AT_ONCE = 6
"""Each takes a place at a worker, maybe for minutes. The others are for what opens and closes."""


@workflow.defn
class Reviews(TakesNoSignals):
    """Writes the addenda that are due. Started by its schedule; what is left undone is for the next run."""

    @workflow.run
    async def run(self, *_inputs: object) -> ReviewsReport:
        """Review all tenants; one that is slow or fails stops no other."""
        tenants = await execute(Reconciling.list_reviews, None, RECONCILING, summary="What is to be reviewed?")
        # In another order each time: where slow tenants use up the run's time, the same ones would always be left out.
        workflow.random().shuffle(tenants)
        at_once = asyncio.Semaphore(TENANTS_AT_ONCE)

        async def one(tenant: TenantToReconcile) -> TenantReview:
            async with at_once:
                return await _review(tenant)

        reviews = await asyncio.gather(*map(one, tenants))
        return ReviewsReport(
            tenants=len(reviews),
            reviewed=sum(review.reviewed for review in reviews),
            unreviewed=tuple(review for review in reviews if review.failed),
        )


async def _review(tenant: TenantToReconcile) -> TenantReview:
    try:
        return await execute(Reconciling.review_tenant, tenant, REVIEWING, summary=f"Read the audit of {tenant.name}")
    except ActivityError as error:
        return TenantReview(tenant=tenant.name, failed=str(error.cause or error))
