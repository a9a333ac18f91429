"""Making a technician's account ready, up to the opening. Access and credential come while it is still closed.

Each step leaves in the grant's progress what it has brought about.
"""

from __future__ import annotations

from temporalio import workflow

from activities.options import LEDGER
from activities.signatures import Deciding, Provisioning
from entra_jit.policy.durations import CLOCKS_DIFFER_BY, format_duration
from models import actor
from models.grant_progress import GrantProgress
from models.messages import AccountFound, GrantState
from models.sweep import Baseline
from workflows.execution import execute_locally
from workflows.gathering import gather_or_cancel
from workflows.steps import step, step_to_keep, stop_if_over, time_left
from workflows.sweeping import take_baseline


async def validate_domain(progress: GrantProgress) -> AccountFound:
    """The domain is verified and managed, and the account is ours or not there. Nothing is written."""
    grant = progress.granted
    _, account = await gather_or_cancel(
        step(progress, Provisioning.validate_domain, f"Is {grant.account_domain} verified and managed?"),
        step(progress, Provisioning.find_account, f"Is there {grant.account_name} already?"),
    )
    progress.traces.object_id = account.object_id
    progress.is_answered = True
    return account


async def prepare_account(progress: GrantProgress, account: AccountFound) -> None:
    """The account is there, and closed. From here on anything may have been written."""
    progress.traces.written = True
    if not account.ready:
        summary = f"Make sure of {progress.granted.account_name}, closed"
        progress.traces.object_id = await step(progress, Provisioning.prepare_account, summary)


async def give_access(progress: GrantProgress, account: AccountFound) -> None:
    """The account holds what was granted, and has a credential that opens nothing yet; what it had before is known."""
    access_and_credential = gather_or_cancel(_give_access(progress), _issue_credential(progress))
    if account.object_id is None:
        progress.sweep.baseline = Baseline()  # one that is only being made can have nothing
        await access_and_credential
    else:
        await gather_or_cancel(access_and_credential, take_baseline(progress))


async def _give_access(progress: GrantProgress) -> None:
    traces = progress.traces
    traces.access_asked_for, traces.access_given_at = True, None
    await step(progress, Provisioning.give_access, ", ".join(item.words for item in progress.granted.access))
    traces.access_given_at = workflow.now()


async def _issue_credential(progress: GrantProgress) -> None:
    stop_if_over(progress)
    # Kept also when the grant is over by now: then this pass is there, and is to be deleted.
    summary = "A fresh credential, sealed"
    progress.traces.pass_id = await step_to_keep(progress, Provisioning.issue_credential, summary)
    stop_if_over(progress)


async def arm(progress: GrantProgress) -> None:
    """The expiry is fixed, before anything is opened."""
    armed = await execute_locally(
        Deciding.arm,
        progress.ref,
        LEDGER,
        summary=f"Fix the expiry, {format_duration(progress.granted.duration)} from now",
        within=time_left(progress),
    )
    progress.traces.mark, progress.expires_at = armed.mark, armed.expires_at
    if armed.expires_at > workflow.now() + progress.granted.duration + CLOCKS_DIFFER_BY:
        progress.end(GrantState.FAILED, actor.CLOCK, f"it would last too long, until {armed.expires_at:%H:%M:%SZ}")


async def open_account(progress: GrantProgress) -> None:
    """The last step."""
    summary = f"Open until {progress.expires_at:%H:%M:%SZ}"
    progress.open(await step(progress, Provisioning.open_account, summary))
