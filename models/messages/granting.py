"""What was allowed, and what the steps that open it are told and answer."""

from __future__ import annotations

from datetime import timedelta

from pydantic import AwareDatetime

from models.actor import Actor
from models.message import Message
from models.messages.access import AccessItem, Wanted
from models.messages.asking import SignedExtension, SignedRenewal, SignedRetry
from models.messages.evidence import Step
from models.messages.ids import Name, ObjectId, PassId, RequestId, TechnicianId, TenantId
from models.states import CredentialKind, FailureType, GrantState, Proof, Verdict
from models.sweep import Baseline

ALARM_AFTER = (timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))


class Grant(Message):
    """What was allowed, and all that closing it needs.

    The account's object id is not here: it may not exist yet. Closing looks under the name too.
    """

    request_id: RequestId
    tenant_id: TenantId
    tenant: Name
    technician_id: TechnicianId
    technician: Name
    account_name: str
    """The user principal name that was derived for this technician in this tenant."""
    access: tuple[AccessItem, ...]
    duration: timedelta
    window_ends_at: AwareDatetime
    """Until when provisioning may be tried, one hour from the decision."""
    attempt: int = 1
    """Counts the tries at provisioning; an opening of an earlier try can no longer pass the admission check."""
    alarm_after: tuple[timedelta, ...] = ALARM_AFTER
    """How long a closing may take before its alarm is raised, and renewed."""

    @property
    def account_domain(self) -> str:
        """The domain of the account's name."""
        return self.account_name.partition("@")[2]


class EarlierRun(Message):
    """How far an earlier run of the same grant had come, by the ledger: it may have written to the directory."""

    object_id: ObjectId | None
    opened_at: AwareDatetime | None
    """None also where its closing has begun: what was open is not to stay so."""
    expires_at: AwareDatetime | None
    mark: str | None = None
    """The signed open-until mark; None: it was never armed."""


class Decision(Message):
    """The answer to a request, with the sentence that a person reads."""

    verdict: Verdict
    sentence: str
    grant: Grant | None = None
    earlier: EarlierRun | None = None
    """Set when it was decided before, as it is for a workflow that was reset."""


class GrantRef(Message):
    """All that an activity which widens access is told. The rest it reads from the ledger itself."""

    request_id: RequestId
    attempt: int


class Armed(Message):
    """A grant whose expiry is fixed, before its account is opened."""

    expires_at: AwareDatetime
    mark: str
    """The signed open-until mark. The closing carries it, so that it can tell an older mark without the ledger."""


class AccountReady(Message):
    """The technician's account: ours, there, and closed."""

    object_id: ObjectId
    is_new: bool
    """It was made just now, and can have nothing yet."""


class ToGive(GrantRef):
    """A grant whose account is ready."""

    is_new: bool
    """The account can have nothing yet."""


class AccessGiven(Message):
    """What the account has now, while it is still closed."""

    pass_id: PassId | None
    """None: its credential is a password."""
    baseline: Baseline


class ToPark(Message):
    """A grant that Microsoft refuses to provision, in the words an operator needs."""

    request_id: RequestId
    because: str
    failure: FailureType | None = None
    attempt: int = 1
    steps: tuple[Step, ...] = ()
    """How the account was closed after this attempt; the next one has a closing of its own."""


class WantedRetry(Message):
    """That a parked grant is to be tried again, and who says so."""

    by: Actor
    """Who it claims to be from. A workflow has no keys, so that it proves nothing."""
    signed: SignedRetry | None = None
    """None: it was not sent by us."""


class ToUnpark(Message):
    """A parked grant that is taken up again."""

    ref: GrantRef
    retry: WantedRetry


class ToExtend(Message):
    """A live grant, and the signed ask for more time."""

    ref: GrantRef
    signed: SignedExtension


class ToRenew(Message):
    """A live grant, and the signed ask in whose name it gets a new credential."""

    ref: GrantRef
    signed: SignedRenewal | SignedExtension


class SignInStatus(Message):
    """What a technician signs in with, as far as it is no secret."""

    kind: CredentialKind
    made_at: AwareDatetime
    usable_until: AwareDatetime | None
    """None: for as long as the grant lasts."""
    usable_once: bool
    revealed_at: AwareDatetime | None
    """None: the present one was not shown yet."""


class StuckStep(Message):
    """A step that is refused and tried again."""

    name: str
    attempt: int
    answer: str
    """What it was told last."""
    next_try: AwareDatetime | None
    """None while it is being tried, or where it is paused in Temporal."""
    paused: bool = False


class GrantStatus(Message):
    """The answer to the query ``status``, to the update ``decision``, and the result of the workflow."""

    request_id: RequestId | None = None
    tenant: str | None = None
    technician: str | None = None
    state: GrantState = GrantState.ASKED
    sentence: str = "Waiting to be decided."
    wanted: tuple[Wanted, ...] | None = None
    """What was asked for, as it was typed; None: all that the role mappings give."""
    access: tuple[AccessItem, ...] = ()
    """What was granted."""
    account_name: str | None = None
    opened_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    """None also of a grant that is over, where the directory has not said that its account is closed."""
    lateness: timedelta | None = None
    """From the expiry to the directory's answer to the disabling; None unless the grant ran to its expiry."""
    proof: Proof | None = None
    """What the receipt rests on; None until it is written."""
    replay_of: RequestId | None = None
    sign_in: SignInStatus | None = None
    """With what the technician can sign in now; None: with nothing, or a workflow says this, which does not know."""
    stuck: tuple[StuckStep, ...] = ()
    """The steps that are tried again just now. Temporal alone knows them; none where it was not asked."""

    @property
    def may_be_open(self) -> bool:
        """It is over, and the directory has not said that its account is closed."""
        return self.proof is not None and not self.proof.is_proven and self.closed_at is None
