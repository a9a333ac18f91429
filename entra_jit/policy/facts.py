"""Everything that a decision rests on, read by the caller beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from entra_jit.policy.entitlement import Group, RoleMapping
from models.holds import Hold
from models.messages import AccessRequest, TechnicianId, TenantId


@dataclass(frozen=True)
class TenantTerms:
    """What a tenant's configuration says about grants there."""

    id: TenantId
    name: str
    account_domain: str
    account_prefix: str
    default_duration: timedelta
    max_duration: timedelta
    active: bool


@dataclass(frozen=True)
class TechnicianTerms:
    """What the configuration says about a technician."""

    id: TechnicianId
    name: str
    attributes: dict[str, str]
    active: bool


@dataclass(frozen=True)
class Facts:
    """What is known when a request is decided. A missing fact denies it."""

    request: AccessRequest
    tenant: TenantTerms | None
    """None: the configuration has never had it."""
    technician: TechnicianTerms | None
    """None: the configuration has never had them."""
    groups: tuple[Group, ...]
    """The technician's, at least."""
    mappings: tuple[RoleMapping, ...]
    """What these groups have in the tenant, at least."""
    stop: Hold | None
    """The emergency stop in force for this technician in this tenant."""
    at: datetime
    """UTC."""
