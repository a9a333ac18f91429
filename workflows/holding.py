"""Waiting while a grant is open, until it expires or is ended; and while it is parked, until an operator has acted."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from activities.options import CLOSING, PROVISIONING
from activities.signatures import Deciding
from models import actor
from models.grant_progress import GrantProgress, Refusal
from models.messages import GrantState, ToPark, ToUnpark
from workflows.alerts import GrantAlerts
from workflows.carrying import can_be_carried
from workflows.closing import close_and_prove
from workflows.execution import execute, execute_until_done
from workflows.gathering import uninterrupted
from workflows.steps import is_over, stop_if_over, time_left
from workflows.view import publish


async def hold(progress: GrantProgress, alerts: GrantAlerts) -> None:
    """Until the expiry, which may be moved meanwhile, or another ending; or until another run is to hold it."""
    stop_if_over(progress)
    while progress.expires_at and (left := progress.expires_at - workflow.now()) > timedelta(0):
        deadline = progress.expires_at
        try:
            await workflow.wait_condition(
                lambda deadline=deadline: (  # type: ignore[misc]
                    is_over(progress) or progress.expires_at != deadline or can_be_carried(alerts)
                ),
                timeout=left,
                timeout_summary=f"The grant expires at {deadline:%H:%M:%SZ}",
            )
        except TimeoutError:
            break
        if is_over(progress) or can_be_carried(alerts):
            return
    progress.end(GrantState.EXPIRED, actor.CLOCK)


async def park(progress: GrantProgress, alerts: GrantAlerts) -> None:
    """Close what was begun, and wait until an operator has mended the cause, within the window."""
    refusal = progress.refusal
    assert refusal is not None  # noqa: S101  # says the condition
    if progress.state is not GrantState.PARKED:
        await _come_to_rest(progress, refusal, alerts)
    try:
        await workflow.wait_condition(
            lambda: progress.retry is not None or is_over(progress) or can_be_carried(alerts),
            timeout=time_left(progress),
            timeout_summary="Until the provisioning window ends",
        )
    except TimeoutError:
        progress.end(GrantState.FAILED, actor.PROVISIONING_WINDOW, refusal.sentence, refusal.failure)
    if is_over(progress) or progress.retry is None:
        return
    retry = progress.retry
    again = await execute(
        Deciding.unpark,
        ToUnpark(ref=progress.ref, retry=retry),
        PROVISIONING,
        summary=f"Try again, says {retry.by}",
        within=time_left(progress),
    )
    stop_if_over(progress)
    progress.begin_attempt(again.attempt, retry.by)
    publish(progress)


async def _come_to_rest(progress: GrantProgress, refusal: Refusal, alerts: GrantAlerts) -> None:
    if progress.traces.written:
        await uninterrupted(close_and_prove(progress, alerts))
    # Before the ledger says parked: a retry that comes at that very moment is meant.
    progress.forget_retry()
    to_park = ToPark(
        request_id=progress.granted.request_id,
        because=refusal.sentence,
        failure=refusal.failure,
        attempt=progress.granted.attempt,
        steps=tuple(progress.closing.steps),
    )
    await execute_until_done(Deciding.park, to_park, CLOSING, summary="Wait for an operator")
    progress.is_answered = True
    progress.move_to(GrantState.PARKED, refusal.sentence)
    publish(progress)
