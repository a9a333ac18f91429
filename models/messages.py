"""Everything that crosses a Temporal boundary.

Messages are frozen and ignore fields they do not know, so that a rolling upgrade never loses a signal. No message
ever carries a password, a pass, a token or a client secret: credentials travel as the grant's id alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, NewType

from pydantic import AwareDatetime, Field, StringConstraints

from models.alarms import AlarmKind
from models.message import Message
from models.sweep import Done, Stock, SweepFinding

TenantId = NewType("TenantId", str)
"""The GUID of a customer's Entra tenant, lower case."""

TechnicianId = NewType("TechnicianId", str)
"""The technician's immutable object id in the MSP's own directory, a GUID, lower case."""

ObjectId = NewType("ObjectId", str)
"""The GUID of an object in a customer's directory. It never changes, unlike a user principal name."""

PassId = NewType("PassId", str)
"""The id of a Temporary Access Pass, which opens nothing."""

RoleId = NewType("RoleId", str)
"""The template id of a directory role (for built-in roles the same GUID in every tenant)."""

RequestId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
"""Chosen by whoever asks, and the key that makes asking idempotent. A grant keeps its request's id."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""What people type for a tenant, a technician or a group. An alias; never a key."""

ALARM_AFTER = (timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class GrantState(StrEnum):
    """Where a request for access stands. The last five are final."""

    ASKED = "asked"
    PREPARING = "preparing"
    PARKED = "parked"
    OPEN = "open"
    CLOSING = "closing"
    DENIED = "denied"
    EXPIRED = "expired"
    ENDED = "ended"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Nothing more will happen to this request."""
        return self in FINAL_STATES


FINAL_STATES = frozenset(
    {GrantState.DENIED, GrantState.EXPIRED, GrantState.ENDED, GrantState.CANCELLED, GrantState.FAILED}
)


class CredentialKind(StrEnum):
    """What a technician is given to sign in with."""

    TEMPORARY_ACCESS_PASS = "temporary_access_pass"
    PASSWORD = "password"


class Assertion(Message):
    """Who says so: the actor of a message, signed with the deployment's key. Checked by ``trust.assertions``."""

    actor: Sentence
    issued_at: AwareDatetime
    key_id: str
    signature: str


class AccessRequest(Message):
    """A technician's ask. ``duration`` None means the tenant's default."""

    request_id: RequestId
    tenant: Name
    technician: Name
    reason: Sentence
    ticket: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] | None = None
    duration: timedelta | None = None
    asked_at: AwareDatetime
    replay_of: RequestId | None = None
    """The failed request that this one repeats; it is decided afresh all the same."""


class SignedAccessRequest(Message):
    """The signal ``request_access``."""

    request: AccessRequest
    assertion: Assertion


class Extension(Message):
    """An ask for more time. The new expiry is absolute, so that sending it twice extends once."""

    request_id: RequestId
    expires_at: AwareDatetime
    reason: Sentence


class SignedExtension(Message):
    """The update ``extend``."""

    extension: Extension
    assertion: Assertion


class EndAccess(Message):
    """The signal ``end``. It only narrows access, so nobody needs to prove who they are to send it."""

    by: Sentence = "the Temporal UI or command line"
    reason: Sentence | None = None


class RetryProvisioning(Message):
    """The signal ``retry``: try again what was decided, and nothing else."""

    by: Sentence = "the Temporal UI or command line"


class Role(Message):
    """A directory role by its template id, with the name that people know it by."""

    id: RoleId
    name: str


class Grant(Message):
    """What was allowed, and all that closing it needs.

    The account's object id is not here: it may not exist yet. Whoever closes looks under the name too.
    """

    request_id: RequestId
    tenant_id: TenantId
    tenant: Name
    technician_id: TechnicianId
    technician: Name
    account_name: str
    """The user principal name that was derived for this technician in this tenant."""
    roles: tuple[Role, ...]
    duration: timedelta
    window_ends_at: AwareDatetime
    """Until when provisioning may be tried, one hour from asking by default."""
    attempt: int = 1
    """Counts the tries at provisioning; an opening of an earlier try can no longer pass the admission check."""
    alarm_after: tuple[timedelta, ...] = ALARM_AFTER
    """How long a closing may take before somebody is told, and told again."""


class Verdict(StrEnum):
    """What the rules say to a request. WAIT: an earlier grant of the same technician there is just closing."""

    ALLOWED = "allowed"
    DENIED = "denied"
    WAIT = "wait"
    OVER = "over"
    """The request was decided before, and its grant has ended: nothing may be done again."""


class Progress(Message):
    """How far an earlier run of the same grant had come, by the ledger: it may have written to the directory."""

    object_id: ObjectId | None
    opened_at: AwareDatetime | None
    """None also where its closing has begun: what was open is not to stay so."""
    expires_at: AwareDatetime | None


class Decision(Message):
    """The answer to a request, with the sentence that a person reads."""

    verdict: Verdict
    sentence: str
    grant: Grant | None = None
    progress: Progress | None = None
    """Set when it was decided before, as it is for a workflow that was reset."""


class FailureType(StrEnum):
    """The types of failure that activities report, as Temporal and its UI show them."""

    GRANT_OVER = "GrantOver"
    """The grant has ended, is closing, or was retried since: nothing may be widened for it."""
    DENIED = "Denied"
    """Our own rules refuse it: an unsuitable domain, a name that is taken, an account that is not ours to open."""
    REFUSED = "Refused"
    """Microsoft refuses it for good; an operator must act in the tenant."""
    BROKEN = "Broken"
    """An answer that makes no sense, or a bug of ours."""
    TRY_LATER = "TryLater"
    """Throttled, unreachable or failing for the moment; Microsoft's Retry-After is kept."""
    NOT_YET_VISIBLE = "NotYetVisible"
    """Written, but not replicated to where it was read."""
    READ_BACK_DISAGREES = "ReadBackDisagrees"
    """The directory does not yet say what was written."""
    PAUSED = "Paused"
    """An operator has paused provisioning of the tenant; the step goes on when it is resumed."""
    LEDGER_UNAVAILABLE = "LedgerUnavailable"
    """PostgreSQL cannot be reached."""


NOTHING_GIVEN = "nothing was given"
"""The detail of a failure after which there is nothing in the directory to wait for."""


class DirectoryCall(Message):
    """Evidence of one answer from Microsoft, as its support asks for it. Never a body."""

    method: str
    path: str
    status: int
    request_id: str | None = None
    client_request_id: str
    answered_at: AwareDatetime


class Step(Message):
    """One thing that was done, when, and which answers of the directory prove it."""

    name: str
    at: AwareDatetime
    note: str | None = None
    calls: tuple[DirectoryCall, ...] = ()


class ToPark(Message):
    """A grant that Microsoft refuses to provision, in the words an operator needs."""

    request_id: RequestId
    because: str
    failure: FailureType | None = None
    attempt: int = 1
    steps: tuple[Step, ...] = ()
    """How the account was closed after this attempt; the next one has a closing of its own."""


class ToExtend(Message):
    """A live grant, and the signed ask for more time."""

    ref: GrantRef
    signed: SignedExtension


class GrantRef(Message):
    """All that an activity which widens access is told. The rest it reads from the ledger itself."""

    request_id: RequestId
    attempt: int


class AccountFound(Message):
    """What the directory holds under the technician's account name: nothing yet, or our own account."""

    object_id: ObjectId | None
    ready: bool
    """True when the account can be given roles as it is: ours, and closed or opened by this very grant."""


class Fence(Message):
    """No opening of this grant can pass any more. One that passed before is through when its lease ends."""

    lease_until: AwareDatetime | None
    object_id: ObjectId | None


class AccountToClose(Message):
    """Whom to close, without the ledger: the grant, and the object id if the workflow has learnt it."""

    grant: Grant
    object_id: ObjectId | None
    roles_given_at: AwareDatetime | None = None
    """When the last role was given, or may have been by a step that was stopped half-way; None: none was asked for.

    For a while after it, the absence of what was given is not proven by its not being found."""
    pass_id: PassId | None = None
    """Of the Temporary Access Pass that was made. It need not be listed yet."""


class ClosingStep(StrEnum):
    """The parts of a closing, as receipts name them."""

    DISABLED = "disabled"
    STRIPPED = "stripped"
    READ_BACK = "read back"


class Proof(StrEnum):
    """On what the statement rests that a grant's account is closed."""

    READ_BACK = "read back"
    """The directory said so."""
    NOT_NEEDED = "not needed"
    """Nothing was ever opened for this grant."""
    VANISHED = "vanished"
    """Unproven: the account is gone from the directory, from where it may be restored."""
    ABANDONED = "abandoned"
    """Unproven: an operator gave up."""

    @property
    def is_proven(self) -> bool:
        """Nobody needs to look again."""
        return self in {Proof.READ_BACK, Proof.NOT_NEEDED}


class Standing(Message):
    """What the directory said about a managed account when it was read back."""

    exists: bool
    enabled: bool
    vanished: bool = False
    """An account that we know is gone, and may come back."""
    roles: tuple[str, ...] = ()
    memberships: tuple[str, ...] = ()
    sign_in_methods: tuple[str, ...] = ()
    held_by: RequestId | None = None
    """Set when the account's open-until mark names another grant, whose it is to close."""

    @property
    def is_closed(self) -> bool:
        """Nobody can sign in, and nothing would be held by whoever could."""
        return not (self.enabled or self.roles or self.memberships or self.sign_in_methods)


class Closed(Message):
    """The result of one closing activity: what was done and, after a read-back, what the directory said."""

    steps: tuple[Step, ...]
    standing: Standing | None = None
    findings: tuple[SweepFinding, ...] = ()
    """What the account had that was not of the grant."""
    alarm: str | None = None
    alarm_kind: AlarmKind = AlarmKind.FOREIGN_CHANGE


class ToSweep(Message):
    """An account that was proven closed, and what it had when it was opened; None: nobody knows."""

    grant: Grant
    object_id: ObjectId
    stock: Stock | None


class Ending(Message):
    """Why a grant is closed: the final state it will have, by whom, and in whose words."""

    state: GrantState
    by: str
    reason: str | None = None
    failure: FailureType | None = None
    """What kind of failure ended it; None where none did, or where nobody was left to report one."""

    @property
    def sentence(self) -> str:
        """``Ended by kim: the work is done``."""
        said = {
            GrantState.EXPIRED: "The grant has expired",
            GrantState.ENDED: f"Ended by {self.by}",
            GrantState.CANCELLED: f"Cancelled by {self.by}",
            GrantState.DENIED: "Denied",
            GrantState.FAILED: "Provisioning failed",
        }.get(self.state, self.state.value)
        return f"{said}: {self.reason}" if self.reason else f"{said}."


class Closure(Message):
    """How a grant was closed and what proves it."""

    ending: Ending
    closed_at: AwareDatetime
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
        return Proof.VANISHED if self.standing.vanished else Proof.READ_BACK


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


class TenantToReconcile(Message):
    """A tenant that may hold accounts of ours."""

    id: TenantId
    name: str


class TenantReport(Message):
    """What a reconciliation found and did in one tenant. Each finding is a sentence that names the account."""

    tenant: str
    looked_at: int = 0
    closed: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()
    failed: str | None = None
    """Why the tenant could not be reconciled, or not whole; it is tried again next time."""
    reviewed: int = 0
    """Grants whose audit was read on the way, where that is done together."""
    unreviewed: str | None = None
    """Why not all that are due."""


class TenantReview(Message):
    """How far the audit of one tenant was read for the grants that have ended there."""

    tenant: str
    reviewed: int = 0
    """Addenda that were written."""
    failed: str | None = None
    """Why not all were; it is tried again next time."""


class ReconciliationReport(Message):
    """What one reconciliation over all tenants did: totals, and the tenants in which there was anything to say."""

    tenants: int = 0
    accounts: int = 0
    closed: int = 0
    failed: int = 0
    remarkable: tuple[TenantReport, ...] = ()
    reviewed: int = 0
    """Grants whose audit was read."""
    unreviewed: tuple[TenantReview, ...] = ()
    """Tenants whose audit could not be read, or not whole."""


class GrantStatus(Message):
    """The answer to the query ``status``, to the update ``decision``, and the result of the workflow."""

    request_id: RequestId | None = None
    tenant: str | None = None
    technician: str | None = None
    state: GrantState = GrantState.ASKED
    sentence: str = "Waiting to be decided."
    roles: tuple[Role, ...] = ()
    account_name: str | None = None
    opened_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    lateness: timedelta | None = None
    """From the expiry to the directory's answer to the disabling; None unless the grant ran to its expiry."""
    proof: Proof | None = None
    """None until the receipt is written."""
    replay_of: RequestId | None = None


class AddendumKind(StrEnum):
    """What became known about a grant after its receipt was written."""

    AUDIT_REVIEW = "audit review"
    """What the directory's own audit says of the grant, once it has caught up."""
    AFTERMATH = "aftermath"
    """What was done by tokens that outlived the closing, once they are dead."""
    CLOSED_LATER = "closed later"
    """An account that was given up, or was gone, has been found and proven closed."""
    PURGED = "purged"
    """The directory has forgotten the vanished account for good."""


class Addendum(Message):
    """A later finding about a grant that is over. The receipt itself never changes."""

    kind: AddendumKind
    at: AwareDatetime
    sentence: str
    findings: tuple[SweepFinding, ...] = ()
    done: tuple[Done, ...] = ()
    """All that the account did, findings included."""
    calls: tuple[DirectoryCall, ...] = ()


class Receipt(Message):
    """The evidence of one grant: what was asked, decided, done, and what the directory said when read back."""

    request: AccessRequest
    requested_by: str
    decision: str
    decided_at: AwareDatetime
    tenant_id: TenantId
    technician_id: TechnicianId
    account_name: str | None = None
    object_id: ObjectId | None = None
    roles: tuple[Role, ...] = ()
    opened_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    ending: Ending
    closed_at: AwareDatetime
    disabled_at: AwareDatetime | None = None
    proven_at: AwareDatetime | None = None
    lateness: timedelta | None = Field(default=None, description="expiry to the answer to the disabling")
    proven_lateness: timedelta | None = Field(default=None, description="expiry to the read-back")
    standing: Standing | None = None
    proof: Proof = Proof.READ_BACK
    findings: tuple[SweepFinding, ...] = ()
    swept: bool = False
    unswept: str | None = None
    steps: tuple[Step, ...] = ()
    alarms: tuple[str, ...] = ()
    addenda: tuple[Addendum, ...] = ()
    """What became known afterwards; the rest never changes."""


def workflow_id(request_id: str) -> str:
    """The id of the workflow that lives a request, the same from asking to receipt."""
    return f"grant/{request_id}"


def request_id_of(workflow_id: str) -> str:
    """The request that a workflow of this id lives."""
    return workflow_id.removeprefix("grant/")


def later(first: datetime | None, second: datetime | None) -> timedelta | None:
    """How long ``second`` came after ``first``; None where either never happened."""
    return None if first is None or second is None else second - first
