"""The answer to a request, from facts that somebody else has read. Where a fact is missing the answer is no."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from entra_jit.policy.durations import DECISION_WINDOW, PROVISIONING_WINDOW, SHORTEST, format_duration
from entra_jit.policy.entitlement import Group, RoleMapping, Technician, entitled_roles
from entra_jit.policy.names import account_name
from models.errors import BadInputError
from models.holds import Hold
from models.messages import AccessRequest, Role, TechnicianId, TenantId


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
class Allowed:
    """The request may be provisioned, on these terms."""

    account_name: str
    roles: tuple[Role, ...]
    duration: timedelta
    window_ends_at: datetime


@dataclass(frozen=True)
class Denied:
    """The request may not be provisioned; the sentence says why, and what would be allowed."""

    sentence: str


def decide(
    request: AccessRequest,
    tenant: TenantTerms | None,
    technician: TechnicianTerms | None,
    groups: Iterable[Group],
    mappings: Iterable[RoleMapping],
    at: datetime,
    *,
    stop: Hold | None,
) -> Allowed | Denied:
    """Whether the rules allow ``request`` at the time ``at``. Live grants are the lock's business, not its own.

    ``stop``: the emergency stop in force for this technician there, if there is one.
    """
    if tenant is None or not tenant.active:
        return Denied(f"There is no tenant {request.tenant!r} connected to this deployment.")
    if technician is None or not technician.active:
        return Denied(f"There is no technician {request.technician!r} in this deployment.")
    if stop is not None:
        return Denied(stop.sentence)
    if at >= request.asked_at + DECISION_WINDOW:
        return Denied(
            f"The request is older than {format_duration(DECISION_WINDOW)}, too old to be decided: ask again."
        )
    duration = tenant.default_duration if request.duration is None else request.duration
    if not SHORTEST <= duration <= tenant.max_duration:
        return Denied(
            f"{format_duration(duration)} cannot be granted in {tenant.name}: "
            f"from {format_duration(SHORTEST)} to {format_duration(tenant.max_duration)}."
        )
    try:
        roles = entitled_roles(Technician(technician.id, technician.attributes), tenant.id, groups, mappings)
        name = account_name(tenant.account_prefix, technician.name, technician.id, tenant.account_domain)
    except BadInputError as error:
        return Denied(f"The configuration does not permit an answer: {error}.")
    if not roles:
        return Denied(f"No role mapping gives {technician.name} a directory role in {tenant.name}.")
    return Allowed(name, roles, duration, at + PROVISIONING_WINDOW)


def departed(tenant: TenantTerms, technician: TechnicianTerms) -> str | None:
    """Whom the configuration no longer has, in a sentence; None: it has both. What they hold is to be closed."""
    gone = [party.name for party in (technician, tenant) if not party.active]
    return f"{' and '.join(gone)} {'are' if len(gone) > 1 else 'is'} no longer in the configuration." if gone else None


def no_longer_due(
    roles: Iterable[Role],
    tenant: TenantTerms,
    technician: TechnicianTerms,
    groups: Iterable[Group],
    mappings: Iterable[RoleMapping],
) -> str | None:
    """Why what was granted may not be opened or extended under the rules of now; None: it may."""
    if gone := departed(tenant, technician):
        return gone
    try:
        entitled = entitled_roles(Technician(technician.id, technician.attributes), tenant.id, groups, mappings)
    except BadInputError as error:
        return f"The configuration does not permit an answer: {error}."
    lost = ", ".join(role.name for role in roles if role.id not in {entitling.id for entitling in entitled})
    return f"{technician.name} is no longer entitled to {lost} in {tenant.name}." if lost else None


def judge_extension(
    *, expires_at: datetime, wanted: datetime, armed_at: datetime, max_duration: timedelta, at: datetime
) -> Denied | None:
    """None where a grant may last until ``wanted``; the limit counts from its beginning, so it cannot creep."""
    if wanted <= expires_at:
        return Denied(f"The grant already lasts until {expires_at:%H:%M:%SZ}.")
    if at >= expires_at:
        return Denied("The grant has expired; ask for a new one.")
    if wanted - armed_at > max_duration:
        return Denied(
            f"A grant may last {format_duration(max_duration)} in all here, "
            f"until {armed_at + max_duration:%Y-%m-%d %H:%MZ}."
        )
    return None
