"""The grant lasts no longer than the tenant allows, extensions included."""

from __future__ import annotations

from datetime import datetime, timedelta

from entra_jit.policy.durations import SHORTEST, format_duration
from entra_jit.policy.facts import TenantTerms
from models.messages import AccessRequest


def wanted(request: AccessRequest, tenant: TenantTerms) -> timedelta:
    """How long the grant is to last: what was asked for, or the tenant's default."""
    return tenant.default_duration if request.duration is None else request.duration


def refuse(request: AccessRequest, tenant: TenantTerms) -> str | None:
    """Refuses what is longer than the tenant's maximum, and what is too short to be of use."""
    duration = wanted(request, tenant)
    if SHORTEST <= duration <= tenant.max_duration:
        return None
    return (
        f"{format_duration(duration)} cannot be granted in {tenant.name}: "
        f"from {format_duration(SHORTEST)} to {format_duration(tenant.max_duration)}."
    )


def refuse_extension(
    *, expires_at: datetime, wanted: datetime, armed_at: datetime, max_duration: timedelta, at: datetime
) -> str | None:
    """None where a grant may last until ``wanted``; the limit counts from its beginning, so it cannot creep."""
    if wanted <= expires_at:
        return f"The grant already lasts until {expires_at:%H:%M:%SZ}."
    if at >= expires_at:
        return "The grant has expired; ask for a new one."
    if wanted - armed_at > max_duration:
        return (
            f"A grant may last {format_duration(max_duration)} in all here, "
            f"until {armed_at + max_duration:%Y-%m-%d %H:%MZ}."
        )
    return None
