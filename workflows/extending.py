"""What an open grant is given more of: time, with ledger and mark first and the timer last; and a new credential."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.options import PROVISIONING, RENEWING_TIME
from activities.signatures import Provisioning
from models.grant_progress import GrantProgress
from models.messages import FailureType, GrantState, SignedExtension, SignedRenewal, ToExtend, ToRenew
from workflows.carrying import is_due
from workflows.execution import execute
from workflows.inputs import read_message
from workflows.refusals import refusal_of
from workflows.view import note, publish

Signed = TypeVar("Signed", SignedExtension, SignedRenewal)


def read_signed(kind: type[Signed], inputs: Sequence[object]) -> Signed:
    """What came with the update. Raises ``ValueError`` where it cannot be read."""
    signed = read_message(kind, inputs)
    if signed is None:
        what = "extension" if kind is SignedExtension else "renewal"
        raise ValueError(f"The {what} could not be read. Send it with the portal or the command line, which sign it.")
    return signed


def refuse_unless_open(progress: GrantProgress, request_id: str) -> None:
    """Raises ``ValueError`` where this grant is not open, nor about to be: nothing of the update is recorded then."""
    if is_due():
        raise ValueError("The grant is being carried over to another run. Try again in a moment.")
    is_being_opened = progress.state is GrantState.PREPARING and progress.expires_at is not None
    if progress.state is not GrantState.OPEN and not is_being_opened:
        raise ValueError(_not_open(progress))
    if request_id != progress.granted.request_id:
        raise ValueError("It was made for another grant.")


async def extend_grant(progress: GrantProgress, signed: SignedExtension) -> datetime:
    """Gives the new expiry."""
    left = await _time_left_open(progress)
    expires_at = await execute(
        Provisioning.extend_grant,
        ToExtend(ref=progress.ref, signed=signed),
        PROVISIONING,
        summary=f"Extend until {signed.extension.expires_at:%H:%M:%SZ}",
        within=left,
    )
    # The grant may have ended meanwhile; then the fence has seen to it that this changes nothing.
    if progress.state is GrantState.OPEN:
        progress.extend(expires_at)
        publish(progress)
        try:
            await _renew(progress, signed, RENEWING_TIME)  # sign-ins with a pass end with it
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            note(progress, f"The credential was not renewed after the extension: {refusal_of(error).sentence}")
    return expires_at


async def renew_credential(progress: GrantProgress, signed: SignedRenewal) -> None:
    """Raises ``ActivityError`` where it is refused."""
    await _renew(progress, signed, min(await _time_left_open(progress), RENEWING_TIME))


async def _renew(progress: GrantProgress, signed: SignedExtension | SignedRenewal, within: timedelta) -> None:
    pass_id = await execute(
        Provisioning.renew_credential,
        ToRenew(ref=progress.ref, signed=signed),
        PROVISIONING,
        summary="A new credential, sealed",
        within=within,
    )
    if pass_id:
        progress.renew(pass_id, workflow.now())


async def _time_left_open(progress: GrantProgress) -> timedelta:
    # The ledger tells people that a grant is open an instant before this workflow has heard of it.
    await workflow.wait_condition(lambda: progress.state is not GrantState.PREPARING)
    if progress.state is not GrantState.OPEN:
        raise ApplicationError(_not_open(progress), type=FailureType.REFUSED.value, non_retryable=True)
    assert progress.expires_at is not None  # noqa: S101  # it is open
    return max(progress.expires_at - workflow.now(), timedelta(milliseconds=1))


def _not_open(progress: GrantProgress) -> str:
    return f"Only an open grant can be extended or renewed; this one is {progress.state}."
