"""A worker's first connection. A worker that only ended where Temporal is away would tell no one that it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from entra_jit.accounts.backend import Backend
from entra_jit.temporal import search_attributes
from entra_jit.temporal.connect import EngineUnreachableError
from entra_jit.temporal.watch import away
from models.search_attributes import ALL

TRIES_FOR = timedelta(minutes=1)
"""Temporal may be starting, as this worker is."""

TRIES_EVERY = timedelta(seconds=2)

_log = structlog.get_logger("worker")


async def arrive(
    connect: Callable[[], Awaitable[Client]], backend: Backend, tries_for: timedelta = TRIES_FOR
) -> Client:
    """Temporal, whose namespace has our search attributes.

    Where it cannot be reached, or has no such namespace, for ``tries_for``, an alarm is raised. Then it raises
    ``EngineUnreachableError``, and what runs the worker starts it again. Raises ``SettingsError``.
    """
    until = time.monotonic() + tries_for.total_seconds()
    while True:
        try:
            client = await connect()
            await search_attributes.ensure(client, ALL)
        except (EngineUnreachableError, RPCError) as error:
            because = error.status.name if isinstance(error, RPCError) else error.explanation
            if time.monotonic() >= until:
                await backend.alarms.raise_alarm(away(because, backend.clock()))
                raise EngineUnreachableError(f"Temporal does not answer: {because}") from None
            _log.warning("Temporal does not answer; trying again", because=because)
        else:
            return client
        await asyncio.sleep(TRIES_EVERY.total_seconds())
