"""The request is recent: access never opens long after it was asked for."""

from __future__ import annotations

from datetime import datetime

from entra_jit.policy.durations import PROVISIONING_WINDOW, format_duration
from models.messages import AccessRequest


def ends_at(request: AccessRequest) -> datetime:
    """Until when provisioning may be tried."""
    return request.asked_at + PROVISIONING_WINDOW


def refuse(request: AccessRequest, at: datetime) -> str | None:
    """``at``: the time of the decision."""
    if at < ends_at(request):
        return None
    return (
        f"The request is older than {format_duration(PROVISIONING_WINDOW)}; "
        "access never opens long after it was asked for."
    )
