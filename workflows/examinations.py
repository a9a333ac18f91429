"""The doctor's round: every day every tenant is examined, a few at a time.

It has its own schedule, since what closes accounts must not wait for it.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.options import EXAMINING, RECONCILING
from activities.signatures import Examining
from models.messages import ExaminationsReport, TenantVerdict
from workflows.execution import execute
from workflows.inputs import TakesNoSignals

TENANTS_AT_ONCE = 3
"""Each takes seconds and a place at a worker: 500 tenants take well under an hour."""


@workflow.defn
class Examinations(TakesNoSignals):
    """Examines whether every tenant is set up for grants. Started by its schedule."""

    @workflow.run
    async def run(self, *_inputs: object) -> ExaminationsReport:
        """Examine all tenants in turn; one that fails stops no other, and what is left undone comes first next time."""
        names = await execute(Examining.list_tenants_in_turn, None, RECONCILING, summary="Which tenants are there?")
        at_once = asyncio.Semaphore(TENANTS_AT_ONCE)

        async def one(name: str) -> TenantVerdict:
            async with at_once:
                return await _examine(name)

        verdicts = await asyncio.gather(*map(one, names))
        return ExaminationsReport(
            tenants=len(verdicts),
            remarkable=tuple(one for one in verdicts if one.failed or one.warned or one.unexamined),
        )


async def _examine(name: str) -> TenantVerdict:
    try:
        return await execute(Examining.examine_tenant, name, EXAMINING, summary=f"Examine {name}")
    except ActivityError as error:
        return TenantVerdict(tenant=name, unexamined=str(error.cause or error))
