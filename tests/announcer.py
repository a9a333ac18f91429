"""What announces alarms, and cannot: nothing may depend on that."""

from __future__ import annotations

from models.alarms import Alarm


class FailingAnnouncer:
    """Remembers what it was asked to announce, and fails to do it."""

    def __init__(self) -> None:
        self.heard: list[Alarm] = []

    async def announce(self, alarm: Alarm) -> None:
        """Note it, and fail."""
        self.heard.append(alarm)
        raise RuntimeError("the mail server is down")
