"""One request for access, from asking to receipt.

The process, as a person would say it: decide; validate the domain; prepare the account; assign the roles; open; hold;
close; prove. Whatever happens after the first write, the account is closed before the workflow finishes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception
from temporalio.exceptions import TimeoutError as TimedOutError

from activities.options import ALARMING, CLOSING, DISABLING, LEDGER, PROVISIONING
from activities.signatures import Alarming, Closing, Deciding, Provisioning
from models.alarms import Alarm, AlarmKind
from models.messages import (
    NOTHING_GIVEN,
    AccountToClose,
    Carried,
    Closed,
    ClosingStep,
    Decision,
    EndAccess,
    Ending,
    FailureType,
    Grant,
    GrantRef,
    GrantState,
    GrantStatus,
    ObjectId,
    PassId,
    Progress,
    Receipt,
    RetryProvisioning,
    Settlement,
    SignedAccessRequest,
    SignedExtension,
    Standing,
    Step,
    ToExtend,
    ToPark,
    Verdict,
    workflow_id,
)
from policy.durations import PROVISIONING_WINDOW, say
from policy.failures import type_named
from workflows import search_attributes
from workflows.details import describe
from workflows.perform import Result, perform, perform_locally
from workflows.sweeping import Sweeping
from workflows.together import ended, together, uninterrupted

REQUEST_MUST_COME_WITHIN = timedelta(minutes=5)
WAIT_FOR_A_CLOSING_GRANT = timedelta(minutes=5)
ASK_AGAIN_AFTER = timedelta(seconds=1)
ASK_AGAIN_AT_LEAST_EVERY = timedelta(seconds=30)

ALARMED_AGAIN_EVERY = timedelta(hours=1)
"""Once a grant's own alarm clock has run out."""

LAST_WORDS = timedelta(minutes=1)

ABOUT_A_GRANT = frozenset({AlarmKind.CLOSING_LATE, AlarmKind.PERSISTENCE})
"""Other alarms are about the account."""

PARKS = frozenset({FailureType.DENIED, FailureType.REFUSED, FailureType.BROKEN})


class Refusal(NamedTuple):
    """What a provisioning step failed with for good."""

    failure: FailureType | None
    sentence: str


@workflow.defn
class AccessGrant:
    """A technician's request for administrator access to one tenant. Its id is ``grant/<request-id>``.

    Started by the signal ``request_access`` (signal-with-start), so that asking is durable without a live worker.
    Cancelling it ends the grant and closes the account. Do not terminate or reset it.
    """

    def __init__(self) -> None:
        self._asked: SignedAccessRequest | None = None
        self._grant: Grant | None = None
        self._attempt = 1
        self._object_id: ObjectId | None = None
        self._answered = False
        self._written_to_directory = False
        self._refusal: Refusal | None = None
        self._retry_wanted = False
        self._expires_at: datetime | None = None
        self._ending: Ending | None = None
        self._roles_asked_for = False
        self._roles_given_at: datetime | None = None
        self._pass_id: PassId | None = None
        self._disabled_at: datetime | None = None
        self._proof: Closed | None = None
        self._sweeping = Sweeping()
        self._closing_steps: list[Step] = []
        self._alarms: list[str] = []
        self._telling: list[asyncio.Task[None]] = []
        self._status = GrantStatus()

    @workflow.run
    async def run(self) -> GrantStatus:
        """Live through the grant, close it, and give its final status; fails or is cancelled as the grant was."""
        life = asyncio.create_task(self._live())
        # Only the first cancellation is ever delivered, and not even that when it comes together with what is awaited:
        # whether there was one is asked for, not waited for.
        with suppress(asyncio.CancelledError):
            await workflow.wait_condition(lambda: life.done() or self._is_over())
        if (reason := workflow.cancellation_reason()) is not None:
            self._end(GrantState.CANCELLED, "somebody in Temporal", reason or None)
        life.cancel()
        await ended(life)
        self._end(GrantState.FAILED, "entra-jit", f"an error of ours: {_what_ended(life)}", FailureType.BROKEN)

        # After the try, never in a finally (see workflows.together).
        await uninterrupted(self._close_and_settle())
        await uninterrupted(self._be_heard())
        await uninterrupted(workflow.wait_condition(workflow.all_handlers_finished))
        return self._conclude()

    def _is_over(self) -> bool:
        return self._ending is not None or workflow.cancellation_reason() is not None

    # -- the life of a grant -----------------------------------------------------------------------------------------

    async def _live(self) -> None:
        await self._decide()
        while self._grant and not self._is_over():
            try:
                if self._refusal:
                    await self._park(self._grant, self._refusal)
                else:
                    if self._status.state is not GrantState.OPEN:
                        await self._provision(self._grant)
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
            self._grant, self._attempt = decision.grant, decision.grant.attempt
            self._show(GrantState.PREPARING, decision.sentence)
            if decision.progress:
                self._take_up(decision.progress)
        elif decision.verdict is Verdict.OVER:
            self._end(GrantState.ENDED, "the ledger", "The request was decided before, and its grant is over.")
        else:
            self._end(GrantState.DENIED, "policy", decision.sentence)

    def _take_up(self, progress: Progress) -> None:
        """After a reset: what an earlier run has written is this one's to close; what it has opened stays open."""
        self._written_to_directory = True
        self._roles_asked_for, self._roles_given_at = True, progress.opened_at
        self._object_id, self._expires_at = progress.object_id, progress.expires_at
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
        request = self._asked.request
        self._status = self._status.model_copy(
            update={
                "request_id": request.request_id,
                "tenant": request.tenant,
                "technician": request.technician,
                "replay_of": request.replay_of,
            }
        )
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
            failure, sentence = _refusal(error)
            if failure is not FailureType.DENIED:
                # Nobody has said no: nobody could be asked.
                self._end(GrantState.FAILED, "the provisioning window", sentence, failure)
            return Decision(verdict=Verdict.DENIED, sentence=sentence)

    async def _provision(self, grant: Grant) -> None:
        ref = GrantRef(request_id=grant.request_id, attempt=self._attempt)

        _, account = await together(
            self._step(Provisioning.validate_domain, ref, f"Is {_domain(grant)} verified and managed?"),
            self._step(Provisioning.find_account, ref, f"Is there {grant.account_name} already?"),
        )
        self._object_id = account.object_id
        self._answered = True

        self._written_to_directory = True
        if not account.ready:
            self._object_id = await self._step(
                Provisioning.prepare_account, ref, f"Make sure of {grant.account_name}, closed"
            )
        roles_and_credential = together(
            self._assign_roles(grant, ref),
            self._issue_credential(ref),
        )
        await self._sweeping.beside(roles_and_credential, ref, account)
        self._expires_at = await perform_locally(
            Deciding.arm,
            ref,
            LEDGER,
            summary=f"Fix the expiry, {say(grant.duration)} from now",
            within=self._time_left(),
        )
        opened_at = await self._step(Provisioning.open_account, ref, f"Open until {self._expires_at:%H:%M:%SZ}")
        self._show(GrantState.OPEN, f"Open until {self._expires_at:%Y-%m-%d %H:%M:%SZ}.", opened_at=opened_at)

    async def _assign_roles(self, grant: Grant, ref: GrantRef) -> None:
        self._roles_asked_for, self._roles_given_at = True, None
        await self._step(Provisioning.assign_roles, ref, ", ".join(role.name for role in grant.roles))
        self._roles_given_at = workflow.now()

    async def _issue_credential(self, ref: GrantRef) -> None:
        self._stop_if_over()
        # Kept also when the grant is over by now: then this pass is there, and is to be deleted.
        self._pass_id = await perform(
            Provisioning.issue_credential,
            ref,
            PROVISIONING,
            summary="A fresh credential, sealed",
            within=self._time_left(),
        )
        self._stop_if_over()

    async def _step(
        self, activity: Callable[[Any, GrantRef], Awaitable[Result]], ref: GrantRef, summary: str
    ) -> Result:
        self._stop_if_over()
        done = await perform(activity, ref, PROVISIONING, summary=summary, within=self._time_left())
        self._stop_if_over()
        return done

    def _stop_if_over(self) -> None:
        """An activity whose answer is there already keeps it to itself that its task was cancelled, so we look."""
        if self._is_over():
            raise asyncio.CancelledError

    def _time_left(self) -> timedelta:
        """Until the window closes or, once armed, the grant expires: the server itself ends what takes longer."""
        assert self._grant is not None  # noqa: S101  # only provisioning asks
        until = min(self._grant.window_ends_at, self._expires_at or self._grant.window_ends_at)
        return max(until - workflow.now(), timedelta(milliseconds=1))

    async def _hold(self) -> None:
        self._stop_if_over()
        while self._expires_at and (left := self._expires_at - workflow.now()) > timedelta(0):
            deadline = self._expires_at
            try:
                await workflow.wait_condition(
                    lambda deadline=deadline: self._is_over() or self._expires_at != deadline,  # type: ignore[misc]
                    timeout=left,
                    timeout_summary=f"The grant expires at {deadline:%H:%M:%SZ}",
                )
            except TimeoutError:
                break
            if self._is_over():
                return
        self._end(GrantState.EXPIRED, "the clock")

    # -- when a step is refused --------------------------------------------------------------------------------------

    def _take_refusal(self, error: ActivityError) -> None:
        failure, sentence = refusal = _refusal(error)
        if _gave_nothing(error):
            self._roles_asked_for = False
        if self._expires_at and workflow.now() >= self._expires_at:
            self._end(GrantState.EXPIRED, "the clock", f"It expired before it could be opened: {sentence}", failure)
        elif failure is FailureType.GRANT_OVER:
            self._end(GrantState.ENDED, "the ledger", sentence)
        elif failure is FailureType.DENIED and not self._written_to_directory:
            self._end(GrantState.DENIED, "policy", sentence, failure)
        elif failure in PARKS and not isinstance(error.cause, TimedOutError):
            self._refusal = refusal
        else:
            self._end(GrantState.FAILED, "the provisioning window", sentence, failure)

    async def _park(self, grant: Grant, refusal: Refusal) -> None:
        """Close what was begun, and wait until an operator has mended the cause, within the window."""
        if self._written_to_directory:
            await uninterrupted(self._close_account(grant))
        # Before the ledger says parked: a retry that comes at that very moment is meant.
        self._retry_wanted = False
        to_park = ToPark(
            request_id=grant.request_id,
            because=refusal.sentence,
            failure=refusal.failure,
            attempt=self._attempt,
            steps=tuple(self._closing_steps),
        )
        await perform(Deciding.park, to_park, CLOSING, summary="Wait for an operator")
        self._answered = True
        self._show(GrantState.PARKED, refusal.sentence)
        try:
            await workflow.wait_condition(
                lambda: self._retry_wanted or self._is_over(),
                timeout=self._time_left(),
                timeout_summary="Until the provisioning window ends",
            )
        except TimeoutError:
            self._end(GrantState.FAILED, "the provisioning window", refusal.sentence, refusal.failure)
        if self._is_over():
            return
        ref = GrantRef(request_id=grant.request_id, attempt=self._attempt)
        self._attempt = (await self._step(Deciding.unpark, ref, "Try again")).attempt
        self._refusal = self._disabled_at = None
        self._closing_steps.clear()
        self._show(GrantState.PREPARING, "Tried again by an operator.")

    # -- closing -----------------------------------------------------------------------------------------------------

    async def _close_and_settle(self) -> None:
        ending = self._ending
        assert ending is not None  # noqa: S101  # nothing comes here that has not ended
        standing = None
        proven_at = None
        if self._grant and self._written_to_directory:
            self._show(GrantState.CLOSING, ending.sentence)
            proof = await self._close_account(self._grant)
            standing, proven_at = proof.standing, proof.steps[-1].at
            await self._sweep(self._grant, standing)
        receipt = None
        if self._asked:
            receipt = await perform(
                Closing.settle,
                Settlement(
                    signed=self._asked,
                    ending=ending,
                    closed_at=workflow.now(),
                    expires_at=self._expires_at,
                    disabled_at=self._disabled_at,
                    proven_at=proven_at,
                    standing=standing,
                    findings=self._sweeping.findings,
                    swept=self._sweeping.swept,
                    unswept=self._sweeping.unswept,
                    steps=tuple(self._closing_steps),
                    alarms=tuple(self._alarms),
                    carried=self._carried(),
                ),
                CLOSING,
                summary="Write the receipt, release the lock",
            )
        self._answered = True
        self._show_final(ending, receipt)

    def _carried(self) -> Carried | None:
        if self._grant is None:
            return None
        return Carried(grant=self._grant, object_id=self._object_id, opened_at=self._status.opened_at)

    async def _sweep(self, grant: Grant, standing: Standing | None) -> None:
        """Whoever could sign in may have left something behind. An account of another grant is that one's to sweep."""
        could_sign_in = self._expires_at is not None
        if could_sign_in and self._object_id and standing and standing.exists and standing.held_by is None:
            await self._sweeping.sweep(grant, self._object_id)
        if self._sweeping.alarm:
            self._alarm(grant, AlarmKind.PERSISTENCE, self._sweeping.alarm)

    async def _close_account(self, grant: Grant) -> Closed:
        """Close the account, prove it, and alarm on a clock for as long as that has not succeeded."""
        closing = asyncio.create_task(self._close_and_prove(grant))
        began = workflow.now()
        for patience in _alarm_clock(grant):
            try:
                await workflow.wait_condition(
                    closing.done,
                    timeout=began + patience - workflow.now(),
                    timeout_summary=f"An alarm, if it takes longer than {say(patience)}",
                )
                break
            except TimeoutError:
                self._alarm(grant, AlarmKind.CLOSING_LATE, self._what_is_late(grant, patience))
        return await closing

    def _what_is_late(self, grant: Grant, patience: timedelta) -> str:
        if self._proof:
            return f"{grant.account_name} is closed, but after {say(patience)} the ledger still cannot record it."
        return f"{grant.account_name} is not proven closed after {say(patience)}."

    async def _close_and_prove(self, grant: Grant) -> Closed:
        self._proof = None
        # Roles whose step was stopped half-way may have been given until this very moment, and nobody has seen them.
        roles_given_at = self._roles_given_at or (workflow.now() if self._roles_asked_for else None)
        account = AccountToClose(
            grant=grant, object_id=self._object_id, roles_given_at=roles_given_at, pass_id=self._pass_id
        )
        # The ledger may be down: the fence is tried for as long as it takes, and nobody waits for it to disable.
        fencing = asyncio.create_task(
            perform(Closing.fence, grant.request_id, CLOSING, summary="No opening from here on")
        )
        disabled, stripped = await asyncio.gather(
            perform(Closing.disable_account, account, DISABLING, summary=f"Disable {grant.account_name}"),
            perform(Closing.strip_account, account, CLOSING, summary="Password, sessions, sign-in methods, roles"),
        )
        self._keep(grant, disabled)
        self._keep(grant, stripped)
        self._proof = proof = await self._read_back(account)
        fence = await fencing
        if fence.lease_until and proof.steps[-1].at < fence.lease_until:
            # An opening that was admitted before the fence may still be on its way to Microsoft.
            await workflow.sleep(max(fence.lease_until - workflow.now(), timedelta(0)), summary="An opening's lease")
            proof = await self._read_back(account)
        self._keep(grant, proof)
        # What is proven gone need not be waited for when a parked grant is closed once more.
        self._roles_asked_for, self._roles_given_at, self._pass_id = False, None, None
        return proof

    async def _read_back(self, account: AccountToClose) -> Closed:
        return await perform(Closing.read_back, account, CLOSING, summary="Is it closed, says the directory?")

    def _keep(self, grant: Grant, closed: Closed) -> None:
        self._closing_steps.extend(closed.steps)
        self._sweeping.keep(closed)
        for step in closed.steps:
            if step.name == ClosingStep.DISABLED and self._disabled_at is None:
                self._disabled_at = step.at
        if closed.alarm:
            self._alarm(grant, closed.alarm_kind, closed.alarm)

    async def _be_heard(self) -> None:
        """Alarms that are not recorded yet get another minute; after that the receipt alone tells of them."""
        if any(not telling.done() for telling in self._telling):
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: all(telling.done() for telling in self._telling), timeout=LAST_WORDS
                )
        for telling in self._telling:
            telling.cancel()

    def _alarm(self, grant: Grant, kind: AlarmKind, sentence: str) -> None:
        """Tell people, beside the closing: nothing waits until they are told."""
        self._alarms.append(sentence)
        self._describe()
        if not workflow.patched("alarms-are-told"):
            return
        alarm = Alarm(
            kind=kind,
            subject=grant.request_id if kind in ABOUT_A_GRANT else grant.account_name,
            sentence=sentence,
            tenant=grant.tenant,
            request_id=grant.request_id,
            raised_at=workflow.now(),
        )
        workflow.upsert_search_attributes([search_attributes.ALARM.value_set(kind.value)])
        self._telling.append(
            asyncio.create_task(perform(Alarming.raise_alarm, alarm, ALARMING, summary=f"Alarm: {kind.value}"))
        )

    # -- messages ----------------------------------------------------------------------------------------------------

    @workflow.signal(
        description="Ask for access. Sent by the portal or the command line, signed; the first one counts."
    )
    def request_access(self, signed: SignedAccessRequest) -> None:
        """Opens access, so it carries the signed assertion of its actor, which ``decide`` verifies."""
        if self._asked is None:
            self._asked = signed

    @workflow.signal(description="End the grant now and close the account. Needs no input.")
    def end(self, ending: EndAccess | None = None) -> None:
        """Narrows access, so anybody may send it."""
        said = ending or EndAccess()
        self._end(GrantState.ENDED, said.by, said.reason)

    @workflow.signal(description="Try a parked grant again, after the cause was mended. Needs no input.")
    def retry(self, _by: RetryProvisioning | None = None) -> None:
        """Repeats what was decided, so anybody may send it."""
        self._retry_wanted = True

    @workflow.update(description="Extend the grant. Sent by the portal or the command line, signed.")
    async def extend(self, signed: SignedExtension) -> datetime:
        """Moves ledger and mark first, the timer last. Gives the new expiry."""
        # The ledger tells people that a grant is open an instant before this workflow has heard of it.
        await workflow.wait_condition(lambda: self._status.state is not GrantState.PREPARING)
        if self._status.state is not GrantState.OPEN:
            raise ApplicationError(self._not_open(), type=FailureType.DENIED.value, non_retryable=True)
        assert self._grant is not None and self._expires_at is not None  # noqa: PT018, S101  # it is open
        ref = GrantRef(request_id=self._grant.request_id, attempt=self._attempt)
        expires_at = await perform(
            Provisioning.extend_grant,
            ToExtend(ref=ref, signed=signed),
            PROVISIONING,
            summary=f"Extend until {signed.extension.expires_at:%H:%M:%SZ}",
            within=max(self._expires_at - workflow.now(), timedelta(milliseconds=1)),
        )
        # The grant may have ended meanwhile; then the fence has seen to it that this changes nothing.
        if self._status.state is GrantState.OPEN:
            self._expires_at = max(self._expires_at, expires_at)
            self._pass_id = None  # a renewed pass has taken the place of the one that we knew
            self._show(GrantState.OPEN, f"Extended until {self._expires_at:%Y-%m-%d %H:%M:%SZ}.")
        return expires_at

    @extend.validator
    def _extend_only_what_is_open(self, signed: SignedExtension) -> None:
        being_opened = self._status.state is GrantState.PREPARING and self._expires_at is not None
        if self._status.state is not GrantState.OPEN and not being_opened:
            raise ValueError(self._not_open())
        if signed.extension.request_id != self._status.request_id:
            raise ValueError("The extension was made for another grant.")

    def _not_open(self) -> str:
        return f"Only an open grant can be extended; this one is {self._status.state}."

    @workflow.update(description="Wait until the request is decided. Needs no input.")
    async def decision(self) -> GrantStatus:
        """The status once it is known whether the grant is denied, is being opened, or needs an operator."""
        await workflow.wait_condition(lambda: self._answered)
        return self._status

    @workflow.query(description="Where the grant stands.")
    def status(self) -> GrantStatus:
        """Where the grant stands now."""
        return self._status

    # -- how it looks ------------------------------------------------------------------------------------------------

    def _end(self, state: GrantState, by: str, reason: str | None = None, failure: FailureType | None = None) -> None:
        """The first ending counts."""
        if self._ending is None:
            self._ending = Ending(state=state, by=by, reason=reason, failure=failure)

    def _show(self, state: GrantState, sentence: str, *, opened_at: datetime | None = None) -> None:
        """Make the state visible: in queries, in Temporal's lists and on the workflow's page."""
        grant = self._grant
        self._status = self._status.model_copy(
            update={
                "state": state,
                "sentence": sentence,
                "roles": grant.roles if grant else (),
                "account_name": grant.account_name if grant else None,
                "opened_at": self._status.opened_at or opened_at,
                "expires_at": self._expires_at,
            }
        )
        self._upsert()
        self._describe()

    def _show_final(self, ending: Ending, receipt: Receipt | None) -> None:
        final = receipt.ending if receipt else ending
        self._status = self._status.model_copy(
            update={
                "state": final.state,
                "sentence": final.sentence,
                "closed_at": receipt.closed_at if receipt else workflow.now(),
                "lateness": receipt.lateness if receipt else None,
                "proof": receipt.proof if receipt else None,
            }
        )
        self._upsert()
        self._describe()

    def _upsert(self) -> None:
        status = self._status
        changes = [search_attributes.GRANT_STATE.value_set(status.state.value)]
        if not workflow.info().typed_search_attributes.get(search_attributes.TENANT) and status.tenant:
            changes.append(search_attributes.TENANT.value_set(status.tenant))
            changes.append(search_attributes.TECHNICIAN.value_set(status.technician or ""))
            if self._asked and self._asked.request.ticket:
                changes.append(search_attributes.TICKET.value_set(self._asked.request.ticket))
        if status.expires_at:
            changes.append(search_attributes.EXPIRES_AT.value_set(status.expires_at))  # type: ignore[arg-type]
        if status.state.is_final and self._shows(AlarmKind.CLOSING_LATE):
            changes.append(search_attributes.ALARM.value_unset())
        workflow.upsert_search_attributes(changes)

    def _shows(self, kind: AlarmKind) -> bool:
        return workflow.info().typed_search_attributes.get(search_attributes.ALARM) == kind.value

    def _describe(self) -> None:
        workflow.set_current_details(describe(self._status, self._asked, self._alarms))

    def _conclude(self) -> GrantStatus:
        status = self._status
        if status.state is GrantState.FAILED:
            raise ApplicationError(status.sentence, type="ProvisioningFailed", non_retryable=True)
        if status.state is GrantState.CANCELLED and workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError(status.sentence)
        return status


def _gave_nothing(error: ActivityError) -> bool:
    return isinstance(error.cause, ApplicationError) and NOTHING_GIVEN in error.cause.details


def _what_ended(life: asyncio.Task[None]) -> str:
    return "cancelled" if life.cancelled() else repr(life.exception())


def _alarm_clock(grant: Grant) -> Iterator[timedelta]:
    yield from grant.alarm_after
    yield from (grant.alarm_after[-1] + hours * ALARMED_AGAIN_EVERY for hours in count(1))


def _refusal(error: ActivityError) -> Refusal:
    """What the activity said, or what it said last when its time ran out."""
    cause: BaseException = error.cause or error
    while not isinstance(cause, ApplicationError) and cause.__cause__ is not None:
        cause = cause.__cause__
    if not isinstance(cause, ApplicationError):
        return Refusal(None, str(cause))
    return Refusal(type_named(cause.type), cause.message)


def _domain(grant: Grant) -> str:
    return grant.account_name.partition("@")[2]
