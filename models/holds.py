"""What keeps access from being opened, for as long as an operator wants it so: a paused tenant, an emergency stop."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime

from models.actor import Actor
from models.message import Message
from models.messages import RequestId, Sentence, TechnicianId, TenantId
from models.moments import format_moment


class HoldKind(StrEnum):
    """How much is held."""

    PAUSE = "pause"
    """Provisioning waits. What is open stays open."""
    STOP = "stop"
    """Nothing is granted, and what was open is closed."""


class Hold(Message):
    """A pause or a stop. It never holds up closing."""

    kind: HoldKind
    tenant_id: TenantId | None = None
    """None: in every tenant."""
    tenant: str | None = None
    technician_id: TechnicianId | None = None
    """None: all technicians."""
    technician: str | None = None
    since: AwareDatetime
    by: Actor
    reason: Sentence

    def covers(self, tenant_id: TenantId, technician_id: TechnicianId) -> bool:
        """Whether it is about this technician's access to this tenant."""
        return self.tenant_id in (None, tenant_id) and self.technician_id in (None, technician_id)

    @property
    def scope(self) -> str:
        """``contoso``, ``alex``, or ``every tenant``."""
        return " in ".join(name for name in (self.technician, self.tenant) if name) or "every tenant"

    @property
    def sentence(self) -> str:
        """``Provisioning for contoso is paused since 2026-11-23 12:00:00Z by kim: Microsoft is down.``"""
        what = "Provisioning" if self.kind is HoldKind.PAUSE else "Access"
        held = "paused" if self.kind is HoldKind.PAUSE else "stopped"
        reason = self.reason.rstrip(".")
        return f"{what} for {self.scope} is {held} since {format_moment(self.since)} by {self.by}: {reason}."


class StopState(StrEnum):
    """How far an emergency stop has come with one grant."""

    OPEN = "open"
    """Nothing is known to be done to its account yet. It may never have been opened."""
    DISABLED = "disabled"
    """The account is disabled; the rest is not proven yet."""
    CLOSED = "closed"
    """Proven: the directory was read back, by this process or by the grant's own workflow."""
    FAILED = "failed"
    """Not proven. The reconciler goes on trying for as long as the stop stands."""


class StoppedGrant(Message):
    """One grant that was live when the emergency stop came."""

    request_id: RequestId
    tenant: str
    technician: str
    account_name: str
    state: StopState = StopState.OPEN
    sentence: str = ""
    """What proves it, or what is in the way."""


class StopReport(Message):
    """What an emergency stop did."""

    stop: Hold
    unheard: str | None = None
    """Why Temporal could not be told; None: it was."""
    grants: tuple[StoppedGrant, ...] = ()

    @property
    def is_proven(self) -> bool:
        """Whether every account in scope was proven closed."""
        return all(grant.state is StopState.CLOSED for grant in self.grants)
