"""What happened, once and for good: the entries of the ledger's one journal."""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime

from models.actor import Actor
from models.message import Message

ERASED = "(erased)"
"""What is shown in place of a text that was erased."""


class EventKind(StrEnum):
    """What has happened. The values stand in the journal for ever: add to them, and change none."""

    # of a request, from asking to receipt
    REQUESTED = "requested"
    DECIDED = "decided"
    DOMAIN_VALIDATED = "domain validated"
    ACCOUNT_PREPARED = "account prepared"
    ACCESS_GIVEN = "access given"
    BASELINE_TAKEN = "baseline taken"
    CREDENTIAL_ISSUED = "credential issued"
    ARMED = "armed"
    CLOSING_TRIED = "closing tried"
    OPENED = "opened"
    REVEALED = "credential revealed"
    RENEWED = "credential renewed"
    """A new credential has taken the place of the one before."""
    EXTENDED = "extended"
    MARK_MOVED = "mark moved"
    """The directory has the mark of the extension."""
    PARKED = "parked"
    RETRIED = "retried"
    TRIED_NOW = "tried now"
    """Steps that waited for their next try did not have to wait."""
    CLOSING_BEGAN = "closing began"
    DISABLED = "disabled"
    STRIPPED = "stripped"
    READ_BACK = "read back"
    SWEPT = "swept"
    STEP_TAKEN = "step taken"
    """A step that has no kind of its own; its name is in the body."""
    RECEIPT_ISSUED = "receipt issued"
    """The body is the receipt, as it will stay."""
    ADDENDUM = "addendum"
    """What became known after the receipt."""

    # beside the grants' own workflows
    INTERVENTION_BEGAN = "intervention began"
    INTERVENTION_REPORTED = "intervention reported"
    ALARM_RAISED = "alarm raised"
    ALARM_CLEARED = "alarm cleared"

    # what operators do
    ATTEMPT_REFUSED = "attempt refused"
    """An actor asked for what they may not have, or not now."""
    HOLD_PLACED = "hold placed"
    HOLD_LIFTED = "hold lifted"
    CONFIGURATION_APPLIED = "configuration applied"
    TENANT_EXAMINED = "tenant examined"
    """The body has each check's state by its code."""
    CANARY_RUN = "canary run"
    """A person had the doctor's canary run in a tenant."""
    TENANT_REPAIRED = "tenant repaired"
    """An operator had the doctor change something in a tenant."""
    TENANT_INVITED = "administrator invited"
    """A link was made by which an administrator of a tenant connects it."""
    TENANT_CONNECTED = "tenant connected"
    TENANT_DISCONNECTED = "tenant disconnected"
    ACCOUNT_REGISTERED = "account registered"
    EMERGENCY_PREPARED = "emergency account prepared"
    EMERGENCY_REGISTERED = "emergency credential registered"
    EMERGENCY_PROVEN = "emergency credential proven"
    """It signed in. The body says whether as a part of a rotation."""
    EMERGENCY_DRILL_FAILED = "emergency drill failed"
    EMERGENCY_RETIRED = "emergency credential retired"
    EMERGENCY_REVEALED = "emergency credential revealed"
    EMERGENCY_FORGOTTEN = "emergency account forgotten"
    """It is gone from its directory, and an operator has let the ledger forget it."""
    EMERGENCY_WANTED = "emergency work wanted"
    """A rotation or a drill was asked for."""
    CANARY_TRIED = "canary tried"
    """Whether the doctor's canary could sign in with what its grant gave it."""
    SIGN_IN_ACCEPTED = "sign-in accepted"
    """A person who signed in became a technician."""
    TEXT_ERASED = "text erased"


class Event(Message):
    """One thing that happened. The texts of its body that people wrote stand in it, or that they were erased."""

    id: int
    recorded_at: AwareDatetime
    """By PostgreSQL's clock; the body has the directory's, where a step is told later."""
    tenant_id: UUID | None = None
    request_id: str | None = None
    actor: Actor
    kind: EventKind
    body: dict[str, Any]
