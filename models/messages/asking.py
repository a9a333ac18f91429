"""What people send: asking for access, for more of it, and for its end."""

from __future__ import annotations

from datetime import timedelta

from pydantic import AwareDatetime, Field

from models.actor import Actor
from models.message import Message
from models.messages.access import Wanted
from models.messages.ids import Name, RequestId, Sentence, Ticket


class Assertion(Message):
    """The actor of a message, signed with the deployment's key. Checked by ``entra_jit.crypto.assertions``."""

    actor: Actor
    issued_at: AwareDatetime
    key_id: str
    signature: str


class AccessRequest(Message):
    """A technician's ask. ``duration`` None means the tenant's default."""

    tenant: Name
    technician: Name
    request_id: RequestId
    reason: Sentence
    ticket: Ticket | None = None
    duration: timedelta | None = None
    access: tuple[Wanted, ...] | None = Field(default=None, max_length=100)
    """What of that which the role mappings give is wanted; None: all of it. It narrows the decision, never widens."""
    asked_at: AwareDatetime
    replay_of: RequestId | None = None
    """The failed request that this one repeats; it is decided afresh all the same."""


class SignedAccessRequest(Message):
    """The signal ``request_access``."""

    request: AccessRequest
    assertion: Assertion


class GrantInput(Message):
    """The input of a grant's workflow, for people who open it in Temporal's UI.

    Nothing reads it: what counts is the signed signal.
    """

    state_and_what_to_do: str = "see the tab User Metadata"
    request: AccessRequest


class Extension(Message):
    """An ask for more time. The new expiry is absolute, so that sending it twice extends once."""

    request_id: RequestId
    expires_at: AwareDatetime
    reason: Sentence


class SignedExtension(Message):
    """The update ``extend``."""

    extension: Extension
    assertion: Assertion


class Renewal(Message):
    """An ask for a new credential within a grant, in place of the one that was made before."""

    request_id: RequestId


class SignedRenewal(Message):
    """The update ``renew``."""

    renewal: Renewal
    assertion: Assertion


class EndAccess(Message):
    """An ask for the end of a grant."""

    request_id: RequestId
    reason: Sentence | None = None
    withdraws: bool = False
    """The request is withdrawn: its grant counts as cancelled, and not as ended."""


class SignedEnd(Message):
    """The signal ``end``, as we send it. It only narrows access, so that any other input ends the grant, too.

    The assertion proves to the receipt who it was.
    """

    ending: EndAccess
    assertion: Assertion


class RetryProvisioning(Message):
    """An ask to try again what was decided, and nothing else."""

    request_id: RequestId


class SignedRetry(Message):
    """The signal ``retry``, as we send it. It repeats what was decided, so that any other input retries, too.

    The assertion proves to the journal who it was.
    """

    retry: RetryProvisioning
    assertion: Assertion
