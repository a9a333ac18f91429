"""How far one grant has come: the whole state of its workflow. What is shown of a grant follows from it.

Plain data that can be written down and read back. It decides nothing and asks no clock.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from models.actor import Actor
from models.alarms import AlarmKind
from models.message import Message
from models.messages import (
    AccountToClose,
    Carried,
    Closed,
    ClosingStep,
    EarlierRun,
    Ending,
    FailureType,
    Grant,
    GrantRef,
    GrantState,
    ObjectId,
    PassId,
    Receipt,
    SignedAccessRequest,
    SignedEnd,
    Step,
    ToSweep,
    WantedRetry,
)
from models.moments import format_moment
from models.sweep import Baseline, SweepFinding, besides, stays_behind

NOTES_AT_MOST = 10


class _State(BaseModel):
    """A part of the state. It changes, unlike a message."""

    model_config = ConfigDict(extra="ignore")


class Refusal(Message):
    """Why a step of provisioning failed for good."""

    failure: FailureType | None
    sentence: str
    ran_out_of_time: bool = False
    """It was tried until there was no time left, and was not refused."""
    wrote_nothing: bool = False
    """Nothing was written in the directory for the grant, ever."""
    gave_nothing: bool = False
    """There is nothing of it in the directory to wait for."""


class Traces(_State):
    """What a grant has brought about in the directory, as far as its closing must know."""

    written: bool = False
    """Anything may have been written there."""
    object_id: ObjectId | None = None
    access_asked_for: bool = False
    access_given_at: datetime | None = None
    pass_id: PassId | None = None
    mark: str | None = None
    """The signed open-until mark, once the grant is armed."""

    def account(self, grant: Grant, at: datetime) -> AccountToClose:
        """Whom to close. Roles whose step was stopped half-way may have been given until this very moment, ``at``."""
        return AccountToClose(
            grant=grant,
            object_id=self.object_id,
            access_given_at=self.access_given_at or (at if self.access_asked_for else None),
            pass_id=self.pass_id,
            mark=self.mark,
        )

    def are_gone(self) -> None:
        """What is proven gone need not be waited for when a parked grant is closed once more."""
        self.access_asked_for, self.access_given_at, self.pass_id = False, None, None


class ClosingProgress(_State):
    """What the closing of the present attempt has done."""

    steps: list[Step] = Field(default_factory=list)
    disabled_at: datetime | None = None
    proof: Closed | None = None
    """The read-back that says that the account is closed."""

    def keep(self, closed: Closed) -> None:
        """Add what one of its steps has done."""
        self.steps.extend(closed.steps)
        for step in closed.steps:
            if step.name == ClosingStep.DISABLED and self.disabled_at is None:
                self.disabled_at = step.at


class SweepProgress(_State):
    """What the account had when it was opened, and what has come to it."""

    baseline: Baseline | None = None
    """None: none was taken."""
    findings: list[SweepFinding] = Field(default_factory=list)
    """Each thing once, in the order in which it was found."""

    def find(self, findings: tuple[SweepFinding, ...]) -> None:
        """Add what a step has found."""
        self.findings += besides(self.findings, findings)


class GrantProgress(_State):
    """The state of one grant's workflow."""

    asked: SignedAccessRequest | None = None
    """The first request that came; nothing is known of its truth before it is decided."""
    state: GrantState = GrantState.ASKED
    sentence: str = "Waiting to be decided."
    is_answered: bool = False
    """It is known whether the grant is denied, is being opened, or needs an operator."""

    grant: Grant | None = None
    """None: not allowed, or not yet. Its attempt is the present one."""
    opened_at: datetime | None = None
    expires_at: datetime | None = None
    """Fixed before the account is opened; an extension moves it."""
    ending: Ending | None = None
    """Why it ends. From then on nothing is opened."""
    signed_end: SignedEnd | None = None
    """What ended it, where that was a message of ours."""
    refusal: Refusal | None = None
    """Why it is parked, or about to be."""
    retry: WantedRetry | None = None
    """What asks for its next attempt."""

    traces: Traces = Field(default_factory=Traces)
    closing: ClosingProgress = Field(default_factory=ClosingProgress)
    sweep: SweepProgress = Field(default_factory=SweepProgress)
    closed_at: datetime | None = None
    receipt: Receipt | None = None

    alarms: list[str] = Field(default_factory=list)
    """Sentences, the oldest first."""
    alarm: AlarmKind | None = None
    """The last one, for as long as it is not over."""
    notes: dict[str, int] = Field(default_factory=dict)
    """Sentences about messages that could not be read, and how often each is meant."""

    @property
    def granted(self) -> Grant:
        """The grant, where there must be one: only what was allowed is provisioned and closed."""
        assert self.grant is not None  # noqa: S101  # says the condition
        return self.grant

    @property
    def ref(self) -> GrantRef:
        """By which activities look up in the ledger what was decided."""
        return GrantRef(request_id=self.granted.request_id, attempt=self.granted.attempt)

    @property
    def to_sweep(self) -> ToSweep | None:
        """What may have been signed in to, and is proven closed; None: nothing may have been left behind there.

        An account of another grant is that one's to sweep.
        """
        account, proof = self.traces.object_id, self.closing.proof
        standing = proof and proof.standing
        if not (self.expires_at and account and standing and standing.exists and standing.held_by is None):
            return None
        return ToSweep(grant=self.granted, object_id=account, baseline=self.sweep.baseline)

    @property
    def carried(self) -> Carried | None:
        """What a ledger that has lost the grant is told of it. None: nothing was granted."""
        if self.grant is None:
            return None
        return Carried(grant=self.grant, object_id=self.traces.object_id, opened_at=self.opened_at)

    def move_to(self, state: GrantState, sentence: str) -> None:
        """Stand there from now on."""
        self.state, self.sentence = state, sentence
        is_closed = state.is_final or state is GrantState.PARKED
        if is_closed and self.alarm is AlarmKind.CLOSING_LATE:
            self.alarm = None

    def take_up(self, earlier: EarlierRun) -> None:
        """After a reset: what an earlier run has written is this one's to close; what it has opened stays open."""
        self.traces.written = self.traces.access_asked_for = True
        self.traces.access_given_at, self.traces.object_id = earlier.opened_at, earlier.object_id
        self.traces.mark = earlier.mark
        self.expires_at = earlier.expires_at
        if earlier.opened_at and earlier.expires_at:
            self.is_answered = True
            self.open(earlier.opened_at)

    def open(self, at: datetime) -> None:
        """The account was opened. The first opening counts."""
        assert self.expires_at is not None  # noqa: S101  # it is armed before it is opened
        self.opened_at = self.opened_at or at
        self.move_to(GrantState.OPEN, f"Open until {format_moment(self.expires_at)}.")

    def extend(self, expires_at: datetime) -> None:
        """It lasts longer."""
        self.expires_at = max(self.expires_at or expires_at, expires_at)
        self.move_to(GrantState.OPEN, f"Extended until {format_moment(self.expires_at)}.")

    def renew(self, pass_id: PassId, at: datetime) -> None:
        """A new pass has taken the place of the one that we knew, and no replica need have heard of it."""
        self.traces.pass_id, self.traces.access_given_at = pass_id, at

    def forget_retry(self) -> None:
        """What asked for an attempt before it was parked asks for none."""
        self.retry = None

    def begin_attempt(self, attempt: int, by: Actor) -> None:
        """A parked grant is taken up again; its next closing is that of another attempt."""
        self.grant = self.granted.model_copy(update={"attempt": attempt})
        self.refusal, self.closing = None, ClosingProgress()
        self.move_to(GrantState.PREPARING, f"Tried again by {by}.")

    def end(self, state: GrantState, by: Actor, reason: str | None = None, failure: FailureType | None = None) -> None:
        """The first ending counts."""
        if self.ending is None:
            self.ending = Ending(state=state, by=by, reason=reason, failure=failure)

    def settle(self, ending: Ending, receipt: Receipt | None, at: datetime) -> None:
        """It is over, as the receipt says where there is one."""
        self.receipt, self.closed_at = receipt, receipt.settled_at if receipt else at
        if receipt and not receipt.proof.is_proven:
            self.closed_at = None
        if receipt and stays_behind(receipt.findings):
            self.alarm = AlarmKind.PERSISTENCE
        self.is_answered = True
        final = receipt.ending if receipt else ending
        self.move_to(final.state, final.sentence)

    def note(self, sentence: str) -> None:
        """A message came that could not be read. Like ones are counted; anyone can send many."""
        if sentence not in self.notes and len(self.notes) >= NOTES_AT_MOST:
            sentence = "More came that could not be read."
        self.notes[sentence] = self.notes.get(sentence, 0) + 1
