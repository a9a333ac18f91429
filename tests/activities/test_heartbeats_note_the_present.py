"""A heartbeat tells what is known now, so that the try after a death does not begin from what was known before.

A step that had removed roles, and died behind a heartbeat with the notes of an earlier try, had removed none: it waited
until their absence was proof, or reported too little.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.heartbeats import HeartbeatInterceptor, noting
from tests.patience import eventually

QUICK = timedelta(milliseconds=30)


class Step(ActivityInboundInterceptor):
    """Removes a role, and then does something that takes a while."""

    def __init__(self, beats: list[tuple[Any, ...]]) -> None:
        self._beats = beats

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        await self._next_beat()
        with noting() as noted:
            noted.stripped.removed.add("a role")
            await self._next_beat()
        await self._next_beat()

    async def _next_beat(self) -> None:
        count = len(self._beats)

        async def beaten() -> bool | None:
            return len(self._beats) > count + 1 or None

        await eventually(beaten)


async def test_each_heartbeat_has_what_this_try_has_found_out() -> None:
    beats: list[tuple[Any, ...]] = []
    environment = ActivityEnvironment()
    environment.info = replace(
        environment.info, heartbeat_timeout=QUICK, heartbeat_details=[["an earlier role"], [], None]
    )
    environment.on_heartbeat = lambda *details: beats.append(details)
    step = HeartbeatInterceptor().intercept_activity(Step(beats))

    async def run() -> None:
        await step.execute_activity(ExecuteActivityInput(fn=run, args=[], executor=None, headers={}))

    await asyncio.wait_for(environment.run(run), 30)

    told = [details[0] for details in beats]
    first = told.index(["a role", "an earlier role"])
    assert first > 0
    assert told == [["an earlier role"]] * first + [["a role", "an earlier role"]] * (len(told) - first)
