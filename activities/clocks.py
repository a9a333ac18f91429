"""What each activity tells of Temporal's clock: when the server handed it over."""

from __future__ import annotations

from typing import Any

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from entra_jit.accounts.clocks import Clocks


class ClockInterceptor(Interceptor):
    """Has ``clocks`` hear it. A local activity's start is told by the worker itself, so it says nothing."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Temporal's hook."""
        return _Hearing(next, self._clocks)


class _Hearing(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, clocks: Clocks) -> None:
        super().__init__(next)
        self._clocks = clocks

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        if not info.is_local:
            self._clocks.hear_temporal(info.started_time)
        return await super().execute_activity(input)
