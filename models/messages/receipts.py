"""The evidence of one grant, and what became known after it was written."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, Field

from models.actor import Actor
from models.alarms import Alarm
from models.message import Message
from models.messages.access import AccessItem
from models.messages.asking import AccessRequest
from models.messages.closing import Ending
from models.messages.evidence import DirectoryCall, Standing, Step
from models.messages.ids import ObjectId, TechnicianId, TenantId
from models.states import Proof
from models.sweep import Done, SweepFinding

LATE = timedelta(minutes=1)
"""How long after its expiry an account is closed on time: no account is promised to stay open for longer."""


class AddendumKind(StrEnum):
    """What became known about a grant after its receipt was written."""

    AUDIT_REVIEW = "audit review"
    """What the directory's own audit says of the grant, once it has caught up."""
    AFTERMATH = "aftermath"
    """What was done by tokens that outlived the closing, once they are dead."""
    CLOSED_LATER = "closed later"
    """An account that was given up, or was gone, has been found and proven closed."""
    CLOSED_BESIDE = "closed beside its workflow"
    """What was removed from the account beside its workflow, after the receipt was written."""
    OPENED_AGAIN = "opened again"
    """The account was found enabled by the mark of the grant after it was proven closed."""
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
    requested_by: Actor
    decision: str
    decided_at: AwareDatetime
    tenant_id: TenantId
    technician_id: TechnicianId
    account_name: str | None = None
    object_id: ObjectId | None = None
    access: tuple[AccessItem, ...] = ()
    opened_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    ending: Ending
    settled_at: AwareDatetime
    """When it was written. Whether the account was closed by then says ``proof``."""
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
    raised: tuple[Alarm, ...] = ()
    """The alarms about the grant as they stand now, each with its all-clear once it is over."""

    @property
    def is_late_or_unproven(self) -> bool:
        """What an auditor looks at first."""
        return not self.proof.is_proven or (self.lateness is not None and self.lateness > LATE)


def later(first: datetime | None, second: datetime | None) -> timedelta | None:
    """How long ``second`` came after ``first``; None where either never happened."""
    return None if first is None or second is None else second - first
