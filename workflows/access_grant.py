"""One request for access, from asking to receipt.

The process, as a person would say it: decide; validate the domain; prepare the account; give the access; open; hold;
close; prove. Whatever happens after the first write, the account is closed before the workflow finishes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from models import actor
from models.marks import CANARY_ID
from models.messages import (
    FailureType,
    GrantState,
    GrantStatus,
    SignedAccessRequest,
    SignedExtension,
    SignedRenewal,
)
from workflows.alerts import GrantAlerts
from workflows.carrying import can_be_carried, take_over
from workflows.closing import close_and_prove, settle
from workflows.deciding import decide
from workflows.examinations import try_canary
from workflows.extending import extend_grant, read_signed, refuse_unless_open, renew_credential
from workflows.gathering import ended, uninterrupted
from workflows.holding import hold, park
from workflows.inputs import LONGEST_NAME, read_ending, read_message, read_retry, read_sentence
from workflows.provisioning import arm, give_access, make_ready, open_account
from workflows.refusals import take_refusal
from workflows.steps import is_over
from workflows.view import note, publish, status_of


@workflow.defn
class AccessGrant:
    """A technician's request for administrator access to one tenant. Its id is ``grant/contoso/alex/7f3a9c21d4``.

    Started by the signal ``request_access`` (signal-with-start), so that asking is durable without a live worker.
    Cancelling it ends the grant and closes the account. Do not terminate or reset it.
    """

    @workflow.init
    def __init__(self, *inputs: object) -> None:
        """With what the run before has carried over: signals may come before ``run`` is called."""
        self._progress = take_over(inputs)
        self._alerts = GrantAlerts(self._progress)
        self._trial: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self, *_inputs: object) -> GrantStatus:
        """Live through the grant, close it, and give its final status; fails or is cancelled as the grant was."""
        progress = self._progress
        life = asyncio.create_task(self._live())
        # Only the first cancellation is ever delivered, and not even that when it comes together with what is awaited:
        # whether there was one is asked for, not waited for.
        with suppress(asyncio.CancelledError):
            await workflow.wait_condition(lambda: life.done() or is_over(progress))
        if (reason := workflow.cancellation_reason()) is not None:
            progress.end(GrantState.CANCELLED, actor.UNNAMED, read_sentence(reason))
        life.cancel()
        await ended(life)
        if not is_over(progress) and _wants_new_run(life):
            workflow.continue_as_new(progress)
        progress.end(GrantState.FAILED, actor.WORKFLOW, f"an error of ours: {_what_ended(life)}", FailureType.INTERNAL)
        if self._trial:
            self._trial.cancel()

        # After the try, never in a finally (see workflows.gathering).
        await uninterrupted(self._close())
        await uninterrupted(self._alerts.be_heard())
        await uninterrupted(workflow.wait_condition(workflow.all_handlers_finished))
        return self._conclude()

    async def _live(self) -> bool:
        """Until the grant is over. True: or until it is to be carried over to another run."""
        progress = self._progress
        if progress.grant is None:
            await decide(progress)
        else:
            publish(progress)
        while progress.grant and not is_over(progress):
            try:
                if progress.refusal:
                    await park(progress, self._alerts)
                else:
                    if progress.state is not GrantState.OPEN:
                        await self._open()
                        if progress.granted.technician_id == CANARY_ID:
                            self._trial = asyncio.create_task(try_canary(progress))
                    await hold(progress, self._alerts)
                if can_be_carried(self._alerts):
                    return True
            except ActivityError as error:
                if is_cancelled_exception(error):
                    return False
                take_refusal(progress, error)
        return False

    async def _open(self) -> None:
        progress = self._progress
        account = await make_ready(progress)
        await give_access(progress, account)
        await arm(progress)
        await open_account(progress)
        publish(progress)

    async def _close(self) -> None:
        progress, ending = self._progress, self._progress.ending
        assert ending is not None  # noqa: S101  # nothing comes here that has not ended
        if progress.traces.written:
            progress.move_to(GrantState.CLOSING, ending.sentence)
            publish(progress)
            await close_and_prove(progress, self._alerts)
        await settle(progress, ending)
        publish(progress)

    def _conclude(self) -> GrantStatus:
        status = status_of(self._progress)
        if status.state is GrantState.FAILED:
            raise ApplicationError(status.sentence, type="ProvisioningFailed", non_retryable=True)
        if status.state is GrantState.CANCELLED and workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError(status.sentence)
        return status

    # Handlers take whatever comes with a message (see workflows.inputs).

    @workflow.signal(
        description="Ask for access. Sent by the portal or the command line, signed; the first one counts."
    )
    def request_access(self, *inputs: object) -> None:
        """Opens access, so it carries the signed assertion of its actor, which ``decide`` verifies."""
        signed = read_message(SignedAccessRequest, inputs)
        if signed is None:
            note(self._progress, "An unreadable request_access was ignored.")
        elif self._progress.asked is None:
            self._progress.asked = signed

    @workflow.signal(description="End the grant now and close the account. Needs no input.")
    def end(self, *inputs: object) -> None:
        """End the grant. Needs no signature, because it narrows access; any input ends."""
        said = read_ending(inputs)
        if not said.is_whole:
            note(self._progress, "Part of the input of `end` was unreadable. The grant ends.")
        if self._progress.ending is None:
            self._progress.signed_end = said.signed
        self._progress.end(GrantState.CANCELLED if said.withdraws else GrantState.ENDED, said.by, said.reason)

    @workflow.signal(description="Try a parked grant again, after the cause was mended. Needs no input.")
    def retry(self, *inputs: object) -> None:
        """Try a parked grant again. Needs no signature, because it repeats what was decided; any input retries."""
        self._progress.retry = read_retry(inputs)
        if self._progress.retry.signed is None and not read_ending(inputs).is_whole:
            note(self._progress, "Part of the input of `retry` was unreadable. The grant is retried.")

    @workflow.signal(dynamic=True, description="Anything else is ignored, and noted.")
    def other_signal(self, name: str, inputs: Sequence[RawValue]) -> None:
        """Signals without a handler would be kept in the worker's memory, in silence."""
        if name.strip().casefold() == "end":
            self.end(*workflow.payload_converter().from_payloads([value.payload for value in inputs]))
        else:
            known = "end, retry and request_access"
            note(self._progress, f"A signal {name[:LONGEST_NAME]!r} was ignored: known are {known}.")

    @workflow.update(description="Extend the grant. Sent by the portal or the command line, signed.")
    async def extend(self, *inputs: object) -> datetime:
        """Moves ledger and mark first, the timer last. Gives the new expiry."""
        return await extend_grant(self._progress, read_signed(SignedExtension, inputs))

    @extend.validator
    def _extend_only_what_is_open(self, *inputs: object) -> None:
        refuse_unless_open(self._progress, read_signed(SignedExtension, inputs).extension.request_id)

    @workflow.update(description="Make a new credential. Sent by the portal or the command line, signed.")
    async def renew(self, *inputs: object) -> None:
        """In the place of the one before, within the grant."""
        await renew_credential(self._progress, read_signed(SignedRenewal, inputs))

    @renew.validator
    def _renew_only_what_is_open(self, *inputs: object) -> None:
        refuse_unless_open(self._progress, read_signed(SignedRenewal, inputs).renewal.request_id)

    @workflow.update(description="Wait until the request is decided. Needs no input.")
    async def decision(self, *_inputs: object) -> GrantStatus:
        """The status once it is known whether the grant is denied, is being opened, or needs an operator."""
        await workflow.wait_condition(lambda: self._progress.is_answered)
        return status_of(self._progress)

    @workflow.query(description="Where the grant stands.")
    def status(self, *_inputs: object) -> GrantStatus:
        """Where the grant stands now."""
        return status_of(self._progress)


def _wants_new_run(life: asyncio.Task[bool]) -> bool:
    return not life.cancelled() and life.exception() is None and life.result()


def _what_ended(life: asyncio.Task[bool]) -> str:
    return "cancelled" if life.cancelled() else repr(life.exception())
