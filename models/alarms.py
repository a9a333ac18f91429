"""Alarms: what needs a person's attention until it is over."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime

from models.actor import Actor
from models.message import Message


class AlarmKind(StrEnum):
    """What has gone wrong. The values stand in lists, logs and metrics."""

    CLOSING_LATE = "closing late"
    """A closing has not succeeded for longer than its patience. About a grant."""
    STILL_OPEN = "still open"
    """The reconciler has found an account that has no reason to be open, and cannot close it. About an account."""
    VANISHED = "account vanished"
    """A managed account is gone from its directory, so nothing can be read back. About an account."""
    ABANDONED = "closing abandoned"
    """An operator gave up proving that a grant's account is closed. About a grant."""
    HELD = "held by another grant"
    """A closing left an account alone, because a newer mark names another grant. About a grant."""
    MARKS_DISAGREE = "marks disagree"
    """Ledger and directory name different marks: a restored ledger, a refused write, a changed account. About an
    account."""
    FOREIGN_CHANGE = "foreign change"
    """A managed account was changed from outside. About an account."""
    PERSISTENCE = "persistence"
    """A grant left something behind that outlives it, and that is not ours to remove. About a grant."""
    NOT_OURS = "account not ours"
    """An account carries our tag or our names without being ours. About an account."""
    CREDENTIAL_DEAD = "credential dead"
    """We cannot sign in to a tenant any more. About a tenant."""
    CREDENTIAL_EXPIRES = "credential expires"
    """A credential of the MSP's own applications ends soon. About a setting, and how long before."""
    REVOKING_REFUSED = "revoking refused"
    """The revoking application is refused something, and the elevating one does it. About a tenant, and what it is."""
    PERMISSION_LOST = "permission lost"
    """Our application lacks a permission or role in a tenant. About a tenant."""
    TENANT_UNRECONCILED = "tenant unreconciled"
    """A tenant could not be reconciled for a while, for another reason. About a tenant."""
    CHECK_WORSE = "check worse"
    """A check of the doctor has come out worse than the last time. About a tenant and the check's code."""
    RECONCILER_LAPSED = "reconciler lapsed"
    """No reconciliation has come through for too long. About the deployment."""
    CLOSED_EARLY = "closed early"
    """An account was disabled before the time that its own mark says: the ledger was restored. About a grant."""
    OPENED_AGAIN = "opened again"
    """An account was found enabled by the mark of a grant that was proven closed. About a grant."""
    CLOSER_AWAY = "closer away"
    """No closer runs, and one did within the last day. About the deployment."""
    CLOCK_APART = "clock apart"
    """The clock of a machine is not that of PostgreSQL, Temporal or Microsoft. About a machine, which opens nothing."""
    TEMPORAL_AWAY = "temporal away"
    """Temporal has not answered a worker for a minute, or its namespace is gone. About the deployment."""
    EMERGENCY_UNPROVEN = "emergency account unproven"
    """An emergency account has no credential that is known to work, or its rotation does not come through. About an
    account."""
    EMERGENCY_CHANGED = "emergency account changed"
    """An emergency account is not as we made it: disabled, without its role, with a method of others. About an
    account."""
    EMERGENCY_KEPT_OUT = "emergency account kept out"
    """A Conditional Access policy keeps an emergency account out, as one does that has lost its exclusion. About a
    tenant."""
    EMERGENCY_USED = "emergency account used"
    """An emergency account signed in, and neither a reveal nor a drill nor a rotation explains it. About an account."""
    EMERGENCY_REVEALED = "emergency credential revealed"
    """A person was given what opens an emergency account. It stands until the account was rotated. About an account."""
    WORKFLOW_WEDGED = "workflow wedged"
    """Temporal cannot carry on a grant's workflow. About a grant."""


class Alarm(Message):
    """One alarm, standing or over. Kind and subject identify it: the same thing is not raised twice while it stands."""

    kind: AlarmKind
    subject: str
    """What it is about: a grant's id, an account's or a tenant's name."""
    sentence: str
    tenant: str | None = None
    request_id: str | None = None
    """The grant to look at, where there is one."""
    raised_at: AwareDatetime
    cleared_at: AwareDatetime | None = None
    all_clear: str | None = None
    """Why it is over."""
    cleared_by: Actor | None = None
    """Who gave the all-clear by hand; None: it stands, or its cause was gone."""

    @property
    def ended(self) -> str:
        """``kim: the customer has left us``: why it is over, and who says so."""
        return ": ".join(part for part in (self.cleared_by and self.cleared_by.name, self.all_clear) if part)
