"""What the steps that close are told and answer, and how a grant is settled."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime

from models.actor import Actor
from models.alarms import AlarmKind
from models.message import Message
from models.messages.asking import SignedAccessRequest, SignedEnd
from models.messages.evidence import Standing, Step
from models.messages.granting import Grant
from models.messages.ids import ObjectId, PassId
from models.states import FailureType, GrantState, Proof
from models.sweep import Baseline, SweepFinding


class Fence(Message):
    """No opening of this grant can pass any more. One that passed before is through when its lease ends."""

    lease_until: AwareDatetime | None


class AccountToClose(Message):
    """Whom to close, without the ledger: the grant, and the object id if the workflow has learnt it."""

    grant: Grant
    object_id: ObjectId | None
    access_given_at: AwareDatetime | None = None
    """When access was last given, or may have been by a step that was stopped half-way; None: none was asked for.

    For a while after it, the absence of what was given is not proven by its not being found."""
    pass_id: PassId | None = None
    """Of the Temporary Access Pass that was made. It need not be listed yet."""
    mark: str | None = None
    """The signed open-until mark of the grant, as it was armed; None: it was not."""


class Closed(Message):
    """An account that is closed: what was done, and what the directory said of it then."""

    steps: tuple[Step, ...]
    standing: Standing | None = None
    findings: tuple[SweepFinding, ...] = ()
    """What the account had that was not of the grant."""
    alarm: str | None = None
    alarm_kind: AlarmKind = AlarmKind.FOREIGN_CHANGE
    fence: Fence | None = None
    """None: the ledger could not be asked, so that an opening may still be admitted."""

    @property
    def proven_at(self) -> datetime:
        """When the directory said so."""
        return self.steps[-1].at


class ToSweep(Message):
    """An account that was proven closed, and what it had when it was opened; None: unknown."""

    grant: Grant
    object_id: ObjectId
    baseline: Baseline | None


class Ending(Message):
    """Why a grant is closed: the final state it will have, by whom, and in whose words."""

    state: GrantState
    by: Actor
    reason: str | None = None
    failure: FailureType | None = None
    """What kind of failure ended it; None if none did, or if none was reported."""

    @property
    def sentence(self) -> str:
        """``Ended by kim: the work is done``."""
        said = {
            GrantState.EXPIRED: "The grant has expired",
            GrantState.ENDED: f"Ended by {self.by}",
            GrantState.CANCELLED: f"Cancelled by {self.by}",
            GrantState.DENIED: "Denied",
            GrantState.FAILED: "Provisioning failed",
            GrantState.ABANDONED: f"Abandoned by {self.by}, not proven closed",
        }.get(self.state, self.state.value)
        return f"{said}: {self.reason}" if self.reason else f"{said}."


class Closure(Message):
    """How a grant was closed and what proves it."""

    ending: Ending
    settled_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    disabled_at: AwareDatetime | None = None
    proven_at: AwareDatetime | None = None
    standing: Standing | None = None
    findings: tuple[SweepFinding, ...] = ()
    swept: bool = False
    """The account was looked at for what stays behind, once it was proven closed."""
    unswept: str | None = None
    """Why the sweep is missing or not whole."""
    steps: tuple[Step, ...] = ()
    alarms: tuple[str, ...] = ()

    @property
    def proof(self) -> Proof:
        """What stands behind it."""
        if self.standing is None or self.proven_at is None:
            return Proof.NOT_NEEDED
        if self.standing.held_by is not None:
            return Proof.HELD
        return Proof.VANISHED if self.standing.vanished else Proof.READ_BACK


class Sweep(Message):
    """What has come to the account since its baseline was taken."""

    findings: tuple[SweepFinding, ...] = ()
    unread: str | None = None
    step: Step | None = None
    """The looking itself, with the directory's answers; None: there was none."""

    def unknown(self, before: Baseline | None) -> list[str]:
        """What could not be found out, and why. ``before``: the baseline; None if none was taken."""
        told = ["It is not known what the account had when it was opened."] if before is None or before.unread else []
        return [*told, self.unread] if self.unread else told


class Carried(Message):
    """What a grant's workflow knows of it by itself, for a ledger that has lost it."""

    grant: Grant
    object_id: ObjectId | None
    opened_at: AwareDatetime | None


class Settlement(Closure):
    """Everything the ledger must learn from a grant's workflow to write the receipt and release the lock."""

    signed: SignedAccessRequest
    """Proof that the workflow itself is of this deployment's making: only such a one may release a lock."""
    carried: Carried | None = None
    """None: nothing was granted."""
    to_sweep: ToSweep | None = None
    """None: the account need not be looked at."""
    signed_end: SignedEnd | None = None
    """What has ended the grant, where that was a message of ours."""
