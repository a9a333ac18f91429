"""Emergency accounts on their way through Temporal: which account, what is due, how a sign-in went. Never a key."""

from __future__ import annotations

import json
from datetime import timedelta
from enum import StrEnum
from typing import Self

from pydantic import AwareDatetime

from models.actor import Actor
from models.message import Message
from models.messages.ids import TenantId

ROUND_EVERY = timedelta(minutes=5)
"""How often every tenant is asked whether its emergency accounts need something."""


class EmergencyDuty(StrEnum):
    """What is to be done with an emergency account."""

    ROTATE = "rotate"
    """Make what is missing: account, new credential, proof; then the old credential goes."""
    DRILL = "drill"
    """Sign in with the credential that it has."""


class SignInOutcome(StrEnum):
    """How trying an emergency credential ended."""

    SIGNED_IN = "signed in"
    REFUSED = "credential refused"
    """The sign-in service answered, and did not let the account in."""
    PAGE_CHANGED = "page changed"
    """The sign-in page is not one that we know. The credential may well work."""
    NOT_TRIED = "not tried"
    """The browser did not start, or the sign-in service was not reached."""

    @property
    def is_a_finding(self) -> bool:
        """The account needs a person's attention."""
        return self in {SignInOutcome.REFUSED, SignInOutcome.PAGE_CHANGED}


class SignInAttempt(Message):
    """One sign-in with an emergency credential."""

    outcome: SignInOutcome
    detail: str = ""
    """What the page said, or why there was none; at most some hundred characters, and no secret."""
    at: AwareDatetime


class EmergencyRef(Message):
    """One emergency account of a tenant."""

    tenant_id: TenantId
    tenant: str
    """What it is called, for people."""
    number: int

    @property
    def words(self) -> str:
        """``emergency account 1 of contoso``."""
        return f"emergency account {self.number} of {self.tenant}"


class EmergencyCredentialRef(Message):
    """One of its credentials, by handle. The key stays sealed in the ledger."""

    account: EmergencyRef
    credential: str


class EmergencyWork(Message):
    """What one account needs now."""

    account: EmergencyRef
    duty: EmergencyDuty


class EmergencyTenant(Message):
    """A tenant whose emergency accounts need something; the input of the workflow that does it."""

    tenant_id: TenantId
    tenant: str


class EmergencyRoundsInput(Message):
    """The input of the rounds, for people who open it in Temporal's UI. Nothing reads it."""

    looks_for: str = "emergency accounts that are to be made, rotated or tried"
    every: timedelta


class EmergencyReport(Message):
    """What the work on one tenant's accounts came to; a sentence for each account that was worked on."""

    done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class EmergencyAccountView(Message):
    """One emergency account, as lists and pages show it. What the ledger knows, with the last proof."""

    tenant: str
    number: int
    account_name: str | None = None
    """None: it is wanted and was not made yet."""
    is_wanted: bool = True
    credential: str | None = None
    """The handle of the credential that signs in."""
    proven_at: AwareDatetime | None = None
    rotated_at: AwareDatetime | None = None
    rotates_at: AwareDatetime | None = None
    drilled_at: AwareDatetime | None = None
    drill_outcome: SignInOutcome | None = None
    drill_detail: str | None = None
    drills_at: AwareDatetime | None = None
    revealed_at: AwareDatetime | None = None
    revealed_to: Actor | None = None
    usable_until: AwareDatetime | None = None
    in_kit_since: AwareDatetime | None = None
    """When a credential of it was put into an offline kit last."""
    kit_is_stale: bool = False
    """The account was rotated since: that kit opens nothing any more."""

    @property
    def needs_attention(self) -> bool:
        """No credential is known to work, or the last try of it failed."""
        return self.credential is None or (self.drill_outcome is not None and self.drill_outcome.is_a_finding)


_REVEAL = "emergency reveal"


class RevealRequest(Message):
    """A person's ask for an emergency credential. ``reader``: a public key that they made for this once."""

    tenant: str
    number: int
    reason: str
    reader: str

    @property
    def about(self) -> str:
        """What the sign-in is bound to by which they ask, in ASCII."""
        return json.dumps([_REVEAL, self.tenant, self.number, self.reason, self.reader])

    @classmethod
    def read(cls, about: str) -> Self:
        """The request that ``about`` is of. Raises ``ValueError`` for anything else."""
        what, tenant, number, reason, reader = json.loads(about)
        if what != _REVEAL:
            raise ValueError("not about a reveal")
        return cls(tenant=tenant, number=number, reason=reason, reader=reader)


class SealedPasskeys(Message):
    """Opened passkeys, sealed to the one-time key of their reader. A JSON list, as ``emergency_kit`` reads each."""

    about: str
    """What they were sealed as."""
    sealed: str
    account: EmergencyRef | None = None
    """Whose passkey it is, where it is one account's."""
    code: str = ""
    """Of the key that it was sealed to."""
    usable_until: AwareDatetime | None = None
    """When they are rotated; None: they are kept until that is asked for."""


class KitAccount(Message):
    """One credential in an offline kit, and whether it still signs in."""

    credential: str
    is_current: bool
