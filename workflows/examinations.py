"""The doctor's round: every day every tenant is examined, a few at a time.

It has its own schedule, since what closes accounts must not wait for it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError

from activities.options import EXAMINING, RECONCILING
from activities.signatures import Examining
from models import search_attributes
from models.grant_progress import GrantProgress
from models.markdown import escape
from models.messages import ExaminationsReport, GrantInput, SignedAccessRequest, TenantVerdict
from models.names import ACCESS_GRANT, GRANT_DETAILS, REQUEST_ACCESS, workflow_id
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
        verdict = await execute(Examining.examine_tenant, name, EXAMINING, summary=f"Examine {name}")
    except ActivityError as error:
        return TenantVerdict(tenant=name, unexamined=str(error.cause or error))
    if verdict.canary is not None:
        await _run_canary(verdict.canary)
    return verdict


async def try_canary(progress: GrantProgress) -> None:
    """Sign in as a technician would, while the canary's grant is open. What comes of it holds up nothing."""
    with suppress(ActivityError):
        await execute(Examining.try_canary, progress.ref, EXAMINING, summary="Sign in as a technician would")


async def _run_canary(signed: SignedAccessRequest) -> None:
    """It outlives this workflow, and closes by its own clock. What it came to is a check of the next examination."""
    request = signed.request
    with suppress(WorkflowAlreadyStartedError):
        canary = await workflow.start_child_workflow(
            ACCESS_GRANT,
            GrantInput(request=request),
            id=workflow_id(request.request_id),
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            search_attributes=search_attributes.at_start(request),
            static_summary=f"The doctor's canary in {escape(request.tenant)}",
            static_details=GRANT_DETAILS,
        )
        await canary.signal(REQUEST_ACCESS, signed)
