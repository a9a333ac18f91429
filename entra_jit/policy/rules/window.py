"""The request is recent when it is decided, and access opens soon after that."""

from __future__ import annotations

from datetime import datetime

from entra_jit.policy.durations import DECISION_WINDOW, PROVISIONING_WINDOW, format_duration
from models.messages import AccessRequest


def ends_at(decided_at: datetime) -> datetime:
    """Until when provisioning may be tried. It counts from the decision, for an approval may take its time."""
    return decided_at + PROVISIONING_WINDOW


def refuse(request: AccessRequest, at: datetime) -> str | None:
    """``at``: the time of the decision."""
    if at < request.asked_at + DECISION_WINDOW:
        return None
    return f"The request is older than {format_duration(DECISION_WINDOW)}, too old to be decided: ask again."
