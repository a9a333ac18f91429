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
from models.messages import AccountReady, GrantState, ToGive
from workflows.execution import execute_locally
from workflows.steps import step, stop_if_over, time_left


async def make_ready(progress: GrantProgress) -> AccountReady:
    """The domain is verified and managed; the account is there, ours, and closed."""
    traces, grant = progress.traces, progress.granted
    traces.written = True  # or the refusal says that nothing was
    summary = f"Is {grant.account_domain} verified and managed? Make sure of {grant.account_name}, closed"
    account = await step(progress, Provisioning.ready, progress.ref, summary)
    traces.object_id = account.object_id
    progress.is_answered = True
    stop_if_over(progress)
    return account


async def give_access(progress: GrantProgress, account: AccountReady) -> None:
    """The account holds what was granted, and has a credential that opens nothing yet; what it had before is known."""
    traces, access = progress.traces, ", ".join(item.words for item in progress.granted.access)
    traces.access_asked_for, traces.access_given_at = True, None
    to_give = ToGive(request_id=progress.ref.request_id, attempt=progress.ref.attempt, is_new=account.is_new)
    given = await step(progress, Provisioning.give, to_give, f"{access}; a fresh credential, sealed")
    traces.access_given_at, traces.pass_id = workflow.now(), given.pass_id
    progress.sweep.baseline = given.baseline
    progress.sweep.find(given.baseline.findings)
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
    opened_at = await step(progress, Provisioning.open, progress.ref, summary)
    stop_if_over(progress)
    progress.open(opened_at)
