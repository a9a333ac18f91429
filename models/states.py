"""Where things stand, in one word each. The words stand in lists, receipts, search attributes and logs."""

from __future__ import annotations

from enum import StrEnum


class GrantState(StrEnum):
    """Where a request for access stands. The last six are final."""

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
    ABANDONED = "abandoned"
    """An operator gave up its closing. Nothing proves that its account is closed."""

    @property
    def is_final(self) -> bool:
        """Nothing more will happen to this request."""
        return self in FINAL_STATES


FINAL_STATES = frozenset(
    {
        GrantState.DENIED,
        GrantState.EXPIRED,
        GrantState.ENDED,
        GrantState.CANCELLED,
        GrantState.FAILED,
        GrantState.ABANDONED,
    }
)


class Verdict(StrEnum):
    """What the rules say to a request. WAIT: an earlier grant of the same technician there is just closing."""

    ALLOWED = "allowed"
    DENIED = "denied"
    WAIT = "wait"
    OVER = "over"
    """The request was decided before, and its grant has ended: nothing may be done again."""


class FailureType(StrEnum):
    """The types of failure that activities report, as Temporal and its UI show them. Each is the name of the error
    class that has it (see ``models.errors``)."""

    GRANT_OVER = "GrantOverError"
    """The grant has ended, is closing, or was retried since: nothing may be widened for it."""
    REFUSED = "RefusedError"
    """Our own rules refuse it: an unsuitable domain, a name that is taken, an account that is not ours to open."""
    PERMANENT = "PermanentError"
    """Microsoft refuses it for good; an operator must act in the tenant."""
    UNEXPECTED_RESPONSE = "UnexpectedResponseError"
    """An answer of Microsoft's that makes no sense, or a request that should not have been made."""
    INTERNAL = "InternalError"
    """A bug of ours, and every type that is not listed here."""
    TRANSIENT = "TransientError"
    """Throttled, unreachable or failing for the moment; Microsoft's Retry-After is kept."""
    NOT_YET_VISIBLE = "NotYetVisibleError"
    """Written, but not replicated to where it was read."""
    READ_BACK_DISAGREES = "ReadBackDisagreesError"
    """The directory does not yet say what was written."""
    PAUSED = "PausedError"
    """An operator has paused provisioning of the tenant; the step goes on when it is resumed."""
    UNREACHABLE = "UnreachableError"
    """PostgreSQL cannot be reached."""
    SETTINGS = "SettingsError"
    """A key or a credential of this deployment is missing or unusable; the step goes on once it is there."""

    @property
    def is_transient(self) -> bool:
        """Trying again may help. The others end a step that opens access at once; a closing is always tried again."""
        return self not in _FINAL_FAILURES

    @classmethod
    def _missing_(cls, value: object) -> FailureType:
        # What Temporal, the ledger or a newer worker says and we do not know was not foreseen by us.
        return cls.INTERNAL


_FINAL_FAILURES = frozenset(
    {
        FailureType.GRANT_OVER,
        FailureType.REFUSED,
        FailureType.PERMANENT,
        FailureType.UNEXPECTED_RESPONSE,
        FailureType.INTERNAL,
    }
)


NOTHING_WRITTEN = "nothing was written"
"""The detail of a failure of a grant for which nothing was written in the directory, ever."""

NOTHING_GIVEN = "nothing was given"
"""The detail of a failure after which there is nothing in the directory to wait for: all was refused at its first try.
"""


class CredentialKind(StrEnum):
    """What a technician is given to sign in with."""

    TEMPORARY_ACCESS_PASS = "temporary_access_pass"
    PASSWORD = "password"


class ClosingStep(StrEnum):
    """The parts of a closing, as receipts name them."""

    DISABLED = "disabled"
    STRIPPED = "stripped"
    READ_BACK = "read back"
    SWEPT = "swept"


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
    HELD = "held by another grant"
    """Unproven: a newer signed mark says that another grant has the account, so it was not touched."""

    @property
    def is_proven(self) -> bool:
        """No second look is needed."""
        return self in {Proof.READ_BACK, Proof.NOT_NEEDED}
