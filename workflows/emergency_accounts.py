"""Emergency accounts: made, rotated and tried, so that they are known to work on the day that they are needed.

The ledger says what is due and how far each rotation has come. So this workflow may die anywhere: the next round starts
another, which goes on from there. A rotation registers a new passkey, signs in with it, and deletes the old one then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, WorkflowAlreadyStartedError, is_cancelled_exception

from activities.options import ALARMING, EMERGENCY, EMERGENCY_TIME, RECONCILING
from activities.signatures import Alarming, Emergency
from models.alarms import Alarm, AlarmKind
from models.markdown import escape
from models.messages import (
    EmergencyDuty,
    EmergencyRef,
    EmergencyReport,
    EmergencyTenant,
    EmergencyWork,
    SignInOutcome,
)
from models.names import EMERGENCY_ACCOUNTS, EMERGENCY_DETAILS, emergency_workflow_id
from workflows.execution import execute
from workflows.inputs import TakesNoSignals

Argument = TypeVar("Argument")
Result = TypeVar("Result")

TOLD_WITHIN = timedelta(minutes=10)

LASTS_AT_MOST = timedelta(hours=4)
"""One tenant's work. What a newer version cannot go on with must not keep the next round from beginning anew."""


@workflow.defn
class EmergencyRounds(TakesNoSignals):
    """Starts the work in every tenant whose emergency accounts need something. Started by its schedule."""

    @workflow.run
    async def run(self, *_inputs: object) -> int:
        """Gives in how many tenants it was started; in others it may be under way."""
        tenants = await execute(Emergency.list_emergency_tenants, None, RECONCILING, summary="Where is something due?")
        started = 0
        for tenant in tenants:
            with suppress(WorkflowAlreadyStartedError):
                await workflow.start_child_workflow(
                    EMERGENCY_ACCOUNTS,
                    tenant,
                    id=emergency_workflow_id(tenant.tenant_id),
                    execution_timeout=LASTS_AT_MOST,
                    parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                    static_summary=f"Emergency accounts of {escape(tenant.tenant)}",
                    static_details=EMERGENCY_DETAILS,
                )
                started += 1
        # After the work was started: it waits for nothing that a tenant's log says.
        await execute(Emergency.watch_emergency_use, None, RECONCILING, summary="Did one sign in without a reason?")
        return started


@workflow.defn
class EmergencyAccounts(TakesNoSignals):
    """Does what one tenant's emergency accounts need now, one account after the other."""

    @workflow.run
    async def run(self, tenant: EmergencyTenant) -> EmergencyReport:
        """What fails with one account is alarmed, and keeps the other from nothing."""
        work = await execute(
            Emergency.list_emergency_work, tenant, RECONCILING, summary=f"What is due in {tenant.tenant}?"
        )
        done: list[str] = []
        failed: list[str] = []
        for one in work:
            try:
                done.append(f"{one.account.words}: {await _do(one)}")
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                failed.append(await _tell(one, str(error.cause or error)))
        return EmergencyReport(done=tuple(done), failed=tuple(failed))


async def _do(work: EmergencyWork) -> str:
    if work.duty is EmergencyDuty.ROTATE:
        return await _rotate(work.account)
    attempt = await _step(Emergency.drill_emergency_account, work.account, f"Try {work.account.words}")
    return attempt.outcome.value if attempt.outcome is SignInOutcome.SIGNED_IN else f"drill failed: {attempt.outcome}"


async def _rotate(account: EmergencyRef) -> str:
    """Register a new passkey, prove it, delete the old one: in this order, whatever is missing."""
    who = account.words
    await _step(Emergency.ensure_emergency_account, account, f"Make {who}, if there is none")
    credential = await _step(Emergency.make_passkey, account, f"Make and seal a passkey for {who}")
    await _step(Emergency.register_passkey, credential, f"Register the passkey of {who}")
    await _step(Emergency.complete_emergency_account, account, f"Enable {who} with its role, if it is new")
    await _step(Emergency.prove_passkey, credential, f"Sign in as {who}")
    is_alone = await _step(Emergency.retire_other_passkeys, credential, f"Delete the old passkeys of {who}")
    return "rotated" if is_alone else "rotated; a passkey that was revealed stays for its hour"


async def _step(activity: Callable[[Any, Argument], Awaitable[Result]], argument: Argument, summary: str) -> Result:
    return await execute(activity, argument, EMERGENCY, summary=summary, within=EMERGENCY_TIME)


async def _tell(work: EmergencyWork, explanation: str) -> str:
    """Have it known. The next round tries again, told or not."""
    account = work.account
    sentence = f"The {work.duty.value} of {account.words} does not come through: {explanation}"
    alarm = Alarm(
        kind=AlarmKind.EMERGENCY_UNPROVEN,
        subject=account.words,
        sentence=sentence,
        tenant=account.tenant,
        raised_at=workflow.now(),
    )
    with suppress(ActivityError):
        await execute(Alarming.raise_alarm, alarm, ALARMING, summary=f"Alarm: {alarm.kind.value}", within=TOLD_WITHIN)
    return sentence
