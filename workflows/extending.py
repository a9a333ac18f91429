"""Extending an open grant: ledger and mark first, the timer last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.options import PROVISIONING
from activities.signatures import Provisioning
from models.grant_progress import GrantProgress
from models.messages import FailureType, GrantState, SignedExtension, ToExtend
from workflows.execution import execute
from workflows.inputs import read_message
from workflows.view import publish


def read_extension(inputs: Sequence[object]) -> SignedExtension:
    """What came with the update. Raises ``ValueError`` where it cannot be read."""
    signed = read_message(SignedExtension, inputs)
    if signed is None:
        raise ValueError("The extension could not be read. Send it with the portal or the command line, which sign it.")
    return signed


def refuse_extension(progress: GrantProgress, signed: SignedExtension) -> None:
    """Raises ``ValueError`` where this grant is not open, nor about to be: nothing of the update is recorded then."""
    is_being_opened = progress.state is GrantState.PREPARING and progress.expires_at is not None
    if progress.state is not GrantState.OPEN and not is_being_opened:
        raise ValueError(_not_open(progress))
    if signed.extension.request_id != progress.granted.request_id:
        raise ValueError("The extension was made for another grant.")


async def extend_grant(progress: GrantProgress, signed: SignedExtension) -> datetime:
    """Gives the new expiry."""
    # The ledger tells people that a grant is open an instant before this workflow has heard of it.
    await workflow.wait_condition(lambda: progress.state is not GrantState.PREPARING)
    if progress.state is not GrantState.OPEN:
        raise ApplicationError(_not_open(progress), type=FailureType.REFUSED.value, non_retryable=True)
    assert progress.expires_at is not None  # noqa: S101  # it is open
    expires_at = await execute(
        Provisioning.extend_grant,
        ToExtend(ref=progress.ref, signed=signed),
        PROVISIONING,
        summary=f"Extend until {signed.extension.expires_at:%H:%M:%SZ}",
        within=max(progress.expires_at - workflow.now(), timedelta(milliseconds=1)),
    )
    # The grant may have ended meanwhile; then the fence has seen to it that this changes nothing.
    if progress.state is GrantState.OPEN:
        progress.extend(expires_at)
        publish(progress)
    return expires_at


def _not_open(progress: GrantProgress) -> str:
    return f"Only an open grant can be extended; this one is {progress.state}."
