"""A worker in a process of its own, which is killed by SIGKILL at a chosen point of a chosen activity.

A task that is cancelled, or a worker that is stopped, still runs its ``finally`` blocks, reports its failure and closes
its connections. A killed process does none of that.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import count
from multiprocessing.process import BaseProcess
from typing import Any

import sqlalchemy.event
import temporalio.worker
from sqlalchemy import Connection, Engine
from temporalio import activity
from temporalio.client import Client, Interceptor
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from entra_jit.app import App
from entra_jit.settings import Settings
from entra_jit.temporal.plugin import entra_jit_plugin
from tests.copied import copied
from tests.stage import SkippedTimeInterceptor, stage_clock
from worker import worker_of


class Point(StrEnum):
    """How far an activity has come."""

    BEFORE = "before"
    """Temporal has handed it out, and it has done nothing."""
    IN = "in"
    """What it does is under way."""
    AFTER = "after"
    """It has done everything, and Temporal was not told."""


@dataclass(frozen=True)
class Suicide:
    """Where a worker kills itself. IN: when the ledger has all statements of a transaction, but for the commit."""

    activity: str
    point: Point
    commit: int = 1
    """Of which of its transactions."""


def start(
    settings: Settings, temporal: str, suicide: Suicide | None = None, *, ahead: timedelta = timedelta(0)
) -> BaseProcess:
    """A worker that polls ``entra_jit.settings.task_queue`` until it is killed; it does not outlive the tests' process.

    ``ahead``: what its activities take to be so much later than it is.
    """
    process = copied.Process(target=_work, args=(settings, temporal, suicide, ahead), daemon=True)
    process.start()
    return process


def _work(settings: Settings, temporal: str, suicide: Suicide | None, ahead: timedelta) -> None:
    asyncio.run(_work_until_killed(settings, temporal, suicide, ahead))


async def _work_until_killed(settings: Settings, temporal: str, suicide: Suicide | None, ahead: timedelta) -> None:
    tests = multiprocessing.parent_process()
    assert tests is not None
    asyncio.get_running_loop().add_reader(tests.sentinel, os._exit, 1)
    interceptors: list[Interceptor] = [SkippedTimeInterceptor(lambda _workflow, _skipped: None)]
    if suicide is not None:
        interceptors.append(_Dying(suicide))
    client = await Client.connect(temporal, plugins=[entra_jit_plugin()], interceptors=interceptors)
    async with App(settings, clock=lambda: stage_clock() + ahead) as app:
        await worker_of(client, app, settings.task_queue).run()


_is_in_it: ContextVar[bool] = ContextVar("_is_in_it", default=False)


class _Dying(Interceptor, temporalio.worker.Interceptor):
    def __init__(self, suicide: Suicide) -> None:
        self._suicide = suicide
        if suicide.point is Point.IN:
            commits = count(1)

            def die_uncommitted(_: Connection) -> None:
                if _is_in_it.get() and next(commits) == suicide.commit:
                    _die()

            sqlalchemy.event.listen(Engine, "commit", die_uncommitted)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Dies(next, self._suicide)


class _Dies(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, suicide: Suicide) -> None:
        super().__init__(next)
        self._suicide = suicide

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        if activity.info().activity_type != self._suicide.activity:
            return await super().execute_activity(input)
        if self._suicide.point is Point.BEFORE:
            _die()
        _is_in_it.set(True)
        done = await super().execute_activity(input)
        _die()
        return done


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
