"""What a grant's account had when it was opened, and what has come to it: gathered on the way, told in the receipt.

None of it holds up an opening or a closing, and what fails is said instead of found.
"""

from __future__ import annotations

from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.options import SWEEPING, SWEEPING_TIME, TAKING_BASELINE
from activities.signatures import Closing, Provisioning
from models.alarms import AlarmKind
from models.grant_progress import GrantProgress
from models.messages import ToSweep
from models.sweep import Baseline, stays_behind
from workflows.alerts import GrantAlerts
from workflows.execution import execute

BASELINE_TIME = SWEEPING_TIME


async def take_baseline(progress: GrantProgress) -> None:
    """Look at what the account has, beside the steps that take as long."""
    try:
        baseline = await execute(
            Provisioning.take_baseline,
            progress.ref,
            TAKING_BASELINE,
            summary="What does the account have already?",
            within=BASELINE_TIME,
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        baseline = Baseline(unread=f"No baseline could be taken: {error.cause or error}")
    progress.sweep.baseline = baseline
    progress.sweep.find(baseline.findings)


async def sweep(progress: GrantProgress, alerts: GrantAlerts) -> None:
    """Look at what has come to the account, once it is proven closed.

    Only where it could be signed in to: then something may have been left behind. An account of another grant is that
    one's to sweep.
    """
    proof = progress.closing.proof
    standing, account = proof and proof.standing, progress.traces.object_id
    if progress.expires_at and account and standing and standing.exists and standing.held_by is None:
        to_sweep = ToSweep(grant=progress.granted, object_id=account, baseline=progress.sweep.baseline)
        try:
            progress.sweep.keep(
                await execute(Closing.sweep, to_sweep, SWEEPING, summary="What stays behind?", within=SWEEPING_TIME)
            )
        except ActivityError as error:
            progress.sweep.unswept.append(f"The sweep could not be made: {error.cause or error}")
    if left_behind := stays_behind(progress.sweep.findings):
        alerts.alarm(AlarmKind.PERSISTENCE, left_behind)
