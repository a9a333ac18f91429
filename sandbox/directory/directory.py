"""All tenants of one sandbox, the applications that live across them, and the changes not yet written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sandbox.directory.rows import Application
from sandbox.directory.table import Changed, Identified, Table
from sandbox.directory.tenant import Tenant

NO_TENANT = ""
"""Stands for the tenant of rows that belong to none (applications)."""


@dataclass(frozen=True, slots=True)
class Change:
    """A row that came (``before`` None), changed or (``row`` None) went."""

    tenant_id: str
    table: str
    row_id: str
    row: Identified | None
    before: Identified | None = None


@dataclass(frozen=True, slots=True)
class AuthenticationStep:
    """One credential of a sign-in, in the words of the sign-in log."""

    method: str
    detail: str | None = None
    result: str | None = None
    """What the log says where the step succeeds."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in was attempted; ``error_code`` 0 if it succeeded."""

    tenant_id: str
    username: str
    at: datetime
    error_code: int
    reason: str | None
    steps: tuple[AuthenticationStep, ...]
    """In order. Of an attempt that failed, the last one failed unless ``is_interrupted``."""
    is_interrupted: bool = False
    """Its credential was right, and more is demanded on a page."""


Witness = Callable[[Change], None]
"""Told of each change as it happens."""


class Directory:
    """Tenants by id, slug or verified domain; applications by client id."""

    def __init__(self) -> None:
        self.tenants: dict[str, Tenant] = {}
        self.applications: Table[Application] = Table("application", self._announcer(NO_TENANT))
        self._pending: list[Change] = []
        self._names: dict[str, str] | None = None
        self.witness: Witness | None = None
        self.attempts: list[Attempt] = []
        """Sign-ins of the request in progress, not yet in the log."""

    def add_tenant(self, tenant_id: str) -> Tenant:
        """The tenant with this id, made empty if it is new."""
        if tenant_id not in self.tenants:
            self.tenants[tenant_id] = Tenant(tenant_id, self._announcer(tenant_id))
        return self.tenants[tenant_id]

    def tenant(self, name: str) -> Tenant | None:
        """The tenant with this GUID or verified domain, as sign-in paths name it."""
        key = name.lower()
        if tenant := self.tenants.get(key):
            return tenant
        if self._names is None:
            self._names = {
                domain.name: tenant.id
                for tenant in self.tenants.values()
                for domain in tenant.organization.domains
                if domain.is_verified
            }
        return self.tenants.get(self._names.get(key, NO_TENANT))

    def tenant_or_slug(self, name: str) -> Tenant | None:
        """As ``tenant``, and also by the seed's short name, as the control interface allows."""
        by_slug = (tenant for tenant in self.tenants.values() if tenant.organization.slug == name.lower())
        return self.tenant(name) or next(by_slug, None)

    def take_changes(self) -> list[Change]:
        """What changed since the last call, in order; each row once, as it was then and as it is now."""
        taken, self._pending = self._pending, []
        latest: dict[tuple[str, str, str], Change] = {}
        for change in taken:
            key = (change.tenant_id, change.table, change.row_id)
            earlier = latest.get(key)
            latest[key] = replace(change, before=earlier.before) if earlier else change
        return list(latest.values())

    def _announcer(self, tenant_id: str) -> Changed:
        def changed(table: str, row_id: str, before: Identified | None, row: Identified | None) -> None:
            if table == "organization":
                self._names = None
            change = Change(tenant_id, table, row_id, row, before)
            self._pending.append(change)
            if self.witness is not None:
                self.witness(change)

        return changed
