"""What applying a configuration would do, before it is done: who gains, who loses, and which open grants end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from models.errors import RefusedError
from models.message import Message


class EntryChanges(Message):
    """The entries of one kind, by what people call them."""

    before: int
    """How many there were, of those that can be removed one by one."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def removes_many(self) -> bool:
        """More than one, and more than a tenth: a file that was cut off rather than changed."""
        return len(self.removed) > 1 and len(self.removed) * 10 > self.before


class TenantChange(Message):
    """What is different about a tenant that stays, whether its own entry or ``defaults`` say so."""

    tenant: str
    field: str
    before: str
    after: str

    @property
    def note(self) -> str:
        """What the two values do not say; empty: nothing."""
        if self.field != "emergency_accounts" or self.after > self.before:
            return ""
        return (
            "No account is deleted: one that is there stays enabled, and is rotated and tried as before. "
            "Delete it in the tenant, then `starter.py emergency forget`."
        )


class AccessChange(Message):
    """What a technician who stays may have more, or no longer, in a tenant that stays."""

    technician: str
    tenant: str | None
    """None: in every tenant."""
    access: tuple[str, ...]


class EndingGrant(Message):
    """A live grant whose technician or tenant is no longer in the configuration."""

    request_id: str
    technician: str
    tenant: str
    expires_at: datetime | None
    """None: it has not opened yet."""


class ConfigurationPlan(Message):
    """What applying a file does to what is configured now. Grants that do not end keep their access."""

    entries: dict[str, int]
    """How many the file has: ``tenants``, ``technicians``, ``groups``, ``role_mappings``."""
    tenants: EntryChanges
    technicians: EntryChanges
    role_mappings: EntryChanges
    """One item of access each; of tenants that stay."""
    changed: tuple[TenantChange, ...] = ()
    gains: tuple[AccessChange, ...]
    losses: tuple[AccessChange, ...]
    ending: tuple[EndingGrant, ...]

    @property
    def narrows(self) -> bool:
        """Something is removed, lost or ended, which is asked about first."""
        return any(self._narrowing())

    @property
    def removes_many(self) -> bool:
        """More is removed than is removed by hand."""
        return any(changes.removes_many for _, changes in self.kinds())

    def kinds(self) -> Iterator[tuple[str, EntryChanges]]:
        """The changes of each kind of entry."""
        yield "tenants", self.tenants
        yield "technicians", self.technicians
        yield "role mappings", self.role_mappings

    def covers(self, other: ConfigurationPlan) -> bool:
        """Agreeing to this is agreeing to all that ``other`` removes, takes or ends."""
        return set(other._narrowing()) <= set(self._narrowing())

    def _narrowing(self) -> Iterator[object]:
        for kind, changes in self.kinds():
            yield from ((kind, name) for name in changes.removed)
        yield from self.losses
        yield from (grant.request_id for grant in self.ending)


class PlanRefusedError(RefusedError):
    """Nothing was changed: what a configuration removes, takes or ends has to be meant."""

    def __init__(self, explanation: str, plan: ConfigurationPlan, advice: str) -> None:
        super().__init__(explanation, advice=advice)
        self.plan = plan


class NotAgreedError(PlanRefusedError):
    """Not all of the plan was agreed to."""

    is_attempt = False


class ChangedMeanwhileError(RefusedError):
    """Another configuration came into force while this one was written. Nothing was changed."""

    advice = "Look at what is in force now, and make your change there."
    is_attempt = False
