"""One request for access, from asking to receipt.

The process, as a person would say it: decide; validate the domain; prepare the account; assign the roles; open; hold;
close; prove. Whatever happens after the first write, the account is closed before the workflow finishes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.options import CLOSING, LEDGER, PROVISIONING
from activities.signatures import Closing, Deciding, Provisioning
from entra_jit.policy.durations import PROVISIONING_WINDOW
from models import actor
from models.alarms import AlarmKind
from models.messages import (
    Carried,
    Decision,
    FailureType,
    Grant,
    GrantState,
    GrantStatus,
    Progress,
    Settlement,
    SignedAccessRequest,
    SignedEnd,
    SignedExtension,
    Standing,
    ToExtend,
    ToPark,
    Verdict,
    workflow_id,
)
from workflows.closing import AccountClosing, Traces
from workflows.course import Course
from workflows.gathering import ended, uninterrupted
from workflows.inputs import LONGEST_NAME, read_ending, read_message
from workflows.page import Page
from workflows.perform import execute_until_done, perform, perform_locally
from workflows.provisioning import AccountProvisioning
from workflows.refusals import Refusal, refusal
from workflows.sweeping import Sweeping
from workflows.telling import Telling

REQUEST_MUST_COME_WITHIN = timedelta(minutes=5)
WAIT_FOR_A_CLOSING_GRANT = timedelta(minutes=5)
ASK_AGAIN_AFTER = timedelta(seconds=1)
ASK_AGAIN_AT_LEAST_EVERY = timedelta(seconds=30)


@workflow.defn
class AccessGrant:
    """A technician's request for administrator access to one tenant. Its id is ``grant/<request-id>``.

    Started by the signal ``request_access`` (signal-with-start), so that asking is durable without a live worker.
    Cancelling it ends the grant and closes the account. Do not terminate or reset it.
    """

    def __init__(self) -> None:
        self._asked: SignedAccessRequest | None = None
        self._signed_end: SignedEnd | None = None
        self._answered = False
        self._refusal: Refusal | None = None
        self._retry_wanted = False
        self._course = Course()
        self._traces = Traces()
        self._sweeping = Sweeping()
        self._page = Page()
        self._telling = Telling(self._page)
        self._provisioning = AccountProvisioning(self._course, self._traces, self._sweeping)
        self._closing = AccountClosing(self._traces, self._sweeping, self._telling)

    @workflow.run
    async def run(self, *_inputs: object) -> GrantStatus:
        """Live through the grant, close it, and give its final status; fails or is cancelled as the grant was."""
        life = asyncio.create_task(self._live())
        # Only the first cancellation is ever delivered, and not even that when it comes together with what is awaited:
        # whether there was one is asked for, not waited for.
        with suppress(asyncio.CancelledError):
            await workflow.wait_condition(lambda: life.done() or self._course.is_over)
        if (reason := workflow.cancellation_reason()) is not None:
            self._course.end(GrantState.CANCELLED, actor.UNNAMED, reason or None)
        life.cancel()
        await ended(life)
        self._course.end(
            GrantState.FAILED, actor.WORKFLOW, f"an error of ours: {_what_ended(life)}", FailureType.INTERNAL
        )

        # After the try, never in a finally (see workflows.gathering).
        await uninterrupted(self._close_and_settle())
        await uninterrupted(self._telling.be_heard())
        await uninterrupted(workflow.wait_condition(workflow.all_handlers_finished))
        return self._conclude()

    async def _live(self) -> None:
        await self._decide()
        while self._course.grant and not self._course.is_over:
            try:
                if self._refusal:
                    await self._park(self._course.grant, self._refusal)
                else:
                    if self._page.status.state is not GrantState.OPEN:
                        await self._provision(self._course.grant)
                    await self._hold()
            except ActivityError as error:
                if is_cancelled_exception(error):
                    return
                self._take_refusal(error)

    async def _decide(self) -> None:
        decision = await self._ask()
        waited_since, pause = workflow.now(), ASK_AGAIN_AFTER
        while decision.verdict is Verdict.WAIT and workflow.now() - waited_since < WAIT_FOR_A_CLOSING_GRANT:
            await workflow.sleep(pause, summary=decision.sentence)
            pause = min(2 * pause, ASK_AGAIN_AT_LEAST_EVERY)
            decision = await self._ask()
        if decision.verdict is Verdict.ALLOWED and decision.grant:
            self._course.grant, self._course.attempt = decision.grant, decision.grant.attempt
            self._show(GrantState.PREPARING, decision.sentence)
            if decision.progress:
                self._take_up(decision.progress)
        elif decision.verdict is Verdict.OVER:
            self._course.end(GrantState.ENDED, actor.LEDGER, "The request was decided before, and its grant is over.")
        else:
            self._course.end(GrantState.DENIED, actor.POLICY, decision.sentence)

    def _take_up(self, progress: Progress) -> None:
        """After a reset: what an earlier run has written is this one's to close; what it has opened stays open."""
        self._traces.written = self._traces.roles_asked_for = True
        self._traces.roles_given_at, self._traces.object_id = progress.opened_at, progress.object_id
        self._traces.mark = progress.mark
        self._course.expires_at = progress.expires_at
        if progress.opened_at and progress.expires_at:
            self._answered = True
            sentence = f"Open until {progress.expires_at:%Y-%m-%d %H:%M:%SZ}."
            self._show(GrantState.OPEN, sentence, opened_at=progress.opened_at)

    async def _ask(self) -> Decision:
        try:
            await workflow.wait_condition(lambda: self._asked is not None, timeout=REQUEST_MUST_COME_WITHIN)
        except TimeoutError:
            return Decision(verdict=Verdict.DENIED, sentence="No request came with the start of the workflow.")
        assert self._asked is not None  # noqa: S101  # says the condition
        request = self._page.ask(self._asked)
        if workflow.info().workflow_id != workflow_id(request.request_id):
            return Decision(verdict=Verdict.DENIED, sentence="The request was made for another workflow.")
        try:
            return await perform_locally(
                Deciding.decide,
                self._asked,
                LEDGER,
                summary=f"{request.technician} asks for {request.tenant}",
                within=PROVISIONING_WINDOW,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            refused = refusal(error)
            if refused.failure is not FailureType.REFUSED:
                # Nobody has said no: nobody could be asked.
                self._course.end(GrantState.FAILED, actor.PROVISIONING_WINDOW, refused.sentence, refused.failure)
            return Decision(verdict=Verdict.DENIED, sentence=refused.sentence)

    async def _provision(self, grant: Grant) -> None:
        account = await self._provisioning.look(grant)
        self._answered = True
        await self._provisioning.prepare(grant, account)
        self._course.expires_at = expires_at = await self._provisioning.arm(grant)
        opened_at = await self._provisioning.open(expires_at)
        self._show(GrantState.OPEN, f"Open until {expires_at:%Y-%m-%d %H:%M:%SZ}.", opened_at=opened_at)

    async def _hold(self) -> None:
        self._course.stop_if_over()
        while self._course.expires_at and (left := self._course.expires_at - workflow.now()) > timedelta(0):
            deadline = self._course.expires_at
            try:
                await workflow.wait_condition(
                    lambda deadline=deadline: self._course.is_over or self._course.expires_at != deadline,  # type: ignore[misc]
                    timeout=left,
                    timeout_summary=f"The grant expires at {deadline:%H:%M:%SZ}",
                )
            except TimeoutError:
                break
            if self._course.is_over:
                return
        self._course.end(GrantState.EXPIRED, actor.CLOCK)

    def _take_refusal(self, error: ActivityError) -> None:
        refused = refusal(error)
        if refused.gave_nothing:
            self._traces.roles_asked_for = False
        if self._course.expires_at and workflow.now() >= self._course.expires_at:
            why = f"It expired before it could be opened: {refused.sentence}"
            self._course.end(GrantState.EXPIRED, actor.CLOCK, why, refused.failure)
        elif refused.failure is FailureType.GRANT_OVER:
            self._course.end(GrantState.ENDED, actor.LEDGER, refused.sentence)
        elif refused.failure is FailureType.REFUSED and not self._traces.written:
            self._course.end(GrantState.DENIED, actor.POLICY, refused.sentence, refused.failure)
        elif refused.failure and not refused.failure.is_transient and not refused.ran_out_of_time:
            self._refusal = refused
        else:
            self._course.end(GrantState.FAILED, actor.PROVISIONING_WINDOW, refused.sentence, refused.failure)

    async def _park(self, grant: Grant, refused: Refusal) -> None:
        """Close what was begun, and wait until an operator has mended the cause, within the window."""
        if self._traces.written:
            await uninterrupted(self._closing.close(grant))
        # Before the ledger says parked: a retry that comes at that very moment is meant.
        self._retry_wanted = False
        to_park = ToPark(
            request_id=grant.request_id,
            because=refused.sentence,
            failure=refused.failure,
            attempt=self._course.attempt,
            steps=tuple(self._closing.steps),
        )
        await execute_until_done(Deciding.park, to_park, CLOSING, summary="Wait for an operator")
        self._answered = True
        self._show(GrantState.PARKED, refused.sentence)
        try:
            await workflow.wait_condition(
                lambda: self._retry_wanted or self._course.is_over,
                timeout=self._course.time_left(),
                timeout_summary="Until the provisioning window ends",
            )
        except TimeoutError:
            self._course.end(GrantState.FAILED, actor.PROVISIONING_WINDOW, refused.sentence, refused.failure)
        if self._course.is_over:
            return
        self._course.attempt = (await self._course.step(Deciding.unpark, "Try again")).attempt
        self._refusal = None
        self._closing.begin_anew()
        self._show(GrantState.PREPARING, "Tried again by an operator.")

    async def _close_and_settle(self) -> None:
        ending = self._course.ending
        assert ending is not None  # noqa: S101  # nothing comes here that has not ended
        standing = None
        proven_at = None
        if self._course.grant and self._traces.written:
            self._show(GrantState.CLOSING, ending.sentence)
            proof = await self._closing.close(self._course.grant)
            standing, proven_at = proof.standing, proof.steps[-1].at
            await self._sweep(self._course.grant, standing)
        receipt = None
        if self._asked:
            receipt = await execute_until_done(
                Closing.settle,
                Settlement(
                    signed=self._asked,
                    ending=ending,
                    closed_at=workflow.now(),
                    expires_at=self._course.expires_at,
                    disabled_at=self._closing.disabled_at,
                    proven_at=proven_at,
                    standing=standing,
                    findings=self._sweeping.findings,
                    swept=self._sweeping.swept,
                    unswept=self._sweeping.unswept,
                    steps=(*self._closing.steps, *([self._sweeping.step] if self._sweeping.step else [])),
                    alarms=tuple(self._page.alarms),
                    carried=self._carried(),
                    signed_end=self._signed_end,
                ),
                CLOSING,
                summary="Write the receipt, release the lock",
            )
        self._answered = True
        self._page.show_final(ending, receipt)

    def _carried(self) -> Carried | None:
        if self._course.grant is None:
            return None
        return Carried(
            grant=self._course.grant, object_id=self._traces.object_id, opened_at=self._page.status.opened_at
        )

    async def _sweep(self, grant: Grant, standing: Standing | None) -> None:
        """Whoever could sign in may have left something behind. An account of another grant is that one's to sweep."""
        could_sign_in, account = self._course.expires_at is not None, self._traces.object_id
        if could_sign_in and account and standing and standing.exists and standing.held_by is None:
            await self._sweeping.sweep(grant, account)
        if self._sweeping.alarm:
            self._telling.alarm(grant, AlarmKind.PERSISTENCE, self._sweeping.alarm)

    # Handlers take whatever comes with a message (see workflows.inputs).

    @workflow.signal(
        description="Ask for access. Sent by the portal or the command line, signed; the first one counts."
    )
    def request_access(self, *inputs: object) -> None:
        """Opens access, so it carries the signed assertion of its actor, which ``decide`` verifies."""
        signed = read_message(SignedAccessRequest, inputs)
        if signed is None:
            self._page.note("A request_access could not be read. It opens nothing.")
        elif self._asked is None:
            self._asked = signed

    @workflow.signal(description="End the grant now and close the account. Needs no input.")
    def end(self, *inputs: object) -> None:
        """Narrows access, so anybody may send it, and whatever comes with it ends."""
        said = read_ending(inputs)
        if not said.is_whole:
            self._page.note("Not all that came with an end could be read. It ends the grant all the same.")
        if self._course.ending is None:
            self._signed_end = said.signed
        self._course.end(GrantState.ENDED, said.by, said.reason)

    @workflow.signal(description="Try a parked grant again, after the cause was mended. Needs no input.")
    def retry(self, *inputs: object) -> None:
        """Repeats what was decided, so anybody may send it, and whatever comes with it retries."""
        if not read_ending(inputs).is_whole:
            self._page.note("Not all that came with a retry could be read. It is a retry all the same.")
        self._retry_wanted = True

    @workflow.signal(dynamic=True, description="Anything else is ignored, and noted.")
    def other_signal(self, name: str, inputs: Sequence[RawValue]) -> None:
        """Signals without a handler would be kept in the worker's memory, in silence."""
        if name.strip().casefold() == "end":
            self.end(*workflow.payload_converter().from_payloads([value.payload for value in inputs]))
        else:
            known = "end, retry and request_access"
            self._page.note(f"A signal {name[:LONGEST_NAME]!r} was ignored: known are {known}.")

    @workflow.update(description="Extend the grant. Sent by the portal or the command line, signed.")
    async def extend(self, *inputs: object) -> datetime:
        """Moves ledger and mark first, the timer last. Gives the new expiry."""
        signed = _extension(inputs)
        # The ledger tells people that a grant is open an instant before this workflow has heard of it.
        await workflow.wait_condition(lambda: self._page.status.state is not GrantState.PREPARING)
        if self._page.status.state is not GrantState.OPEN:
            raise ApplicationError(self._not_open(), type=FailureType.REFUSED.value, non_retryable=True)
        assert self._course.expires_at is not None  # noqa: S101  # it is open
        expires_at = await perform(
            Provisioning.extend_grant,
            ToExtend(ref=self._course.ref, signed=signed),
            PROVISIONING,
            summary=f"Extend until {signed.extension.expires_at:%H:%M:%SZ}",
            within=max(self._course.expires_at - workflow.now(), timedelta(milliseconds=1)),
        )
        # The grant may have ended meanwhile; then the fence has seen to it that this changes nothing.
        if self._page.status.state is GrantState.OPEN:
            self._course.expires_at = max(self._course.expires_at, expires_at)
            self._traces.pass_id = None  # a renewed pass has taken the place of the one that we knew
            self._show(GrantState.OPEN, f"Extended until {self._course.expires_at:%Y-%m-%d %H:%M:%SZ}.")
        return expires_at

    @extend.validator
    def _extend_only_what_is_open(self, *inputs: object) -> None:
        signed = _extension(inputs)
        being_opened = self._page.status.state is GrantState.PREPARING and self._course.expires_at is not None
        if self._page.status.state is not GrantState.OPEN and not being_opened:
            raise ValueError(self._not_open())
        if signed.extension.request_id != self._page.status.request_id:
            raise ValueError("The extension was made for another grant.")

    def _not_open(self) -> str:
        return f"Only an open grant can be extended; this one is {self._page.status.state}."

    @workflow.update(description="Wait until the request is decided. Needs no input.")
    async def decision(self, *_inputs: object) -> GrantStatus:
        """The status once it is known whether the grant is denied, is being opened, or needs an operator."""
        await workflow.wait_condition(lambda: self._answered)
        return self._page.status

    @workflow.query(description="Where the grant stands.")
    def status(self, *_inputs: object) -> GrantStatus:
        """Where the grant stands now."""
        return self._page.status

    def _show(self, state: GrantState, sentence: str, *, opened_at: datetime | None = None) -> None:
        self._page.show(state, sentence, self._course.grant, self._course.expires_at, opened_at=opened_at)

    def _conclude(self) -> GrantStatus:
        status = self._page.status
        if status.state is GrantState.FAILED:
            raise ApplicationError(status.sentence, type="ProvisioningFailed", non_retryable=True)
        if status.state is GrantState.CANCELLED and workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError(status.sentence)
        return status


def _extension(inputs: Sequence[object]) -> SignedExtension:
    signed = read_message(SignedExtension, inputs)
    if signed is None:
        raise ValueError("The extension could not be read. Send it with the portal or the command line, which sign it.")
    return signed


def _what_ended(life: asyncio.Task[None]) -> str:
    return "cancelled" if life.cancelled() else repr(life.exception())
