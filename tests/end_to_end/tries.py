"""Several tries of one activity, without a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from temporalio.testing import ActivityEnvironment


class Tries:
    """The tries of one activity: what one has noted is told to the next."""

    def __init__(self, scheduled_time: datetime) -> None:
        self._info = replace(ActivityEnvironment.default_info(), scheduled_time=scheduled_time)

    async def run(self, step: Callable[..., Any], argument: object) -> Any:
        tried = ActivityEnvironment()
        tried.info = self._info
        tried.on_heartbeat = self._note
        return await tried.run(step, argument)

    def _note(self, *details: object) -> None:
        self._info = replace(self._info, heartbeat_details=details)
