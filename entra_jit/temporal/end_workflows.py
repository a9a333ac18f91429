"""Tell many workflows at once to end, in a bounded time, whether or not Temporal answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from entra_jit.temporal.connect import EngineUnreachableError
from models.errors import SettingsError
from models.messages import SignedEnd
from models.names import END, workflow_id

WITHIN = timedelta(seconds=10)


@dataclass(frozen=True)
class Heard:
    """Who was told."""

    told: frozenset[str]
    """The grants whose workflow has taken it, durably. The others have none any more, or could not be reached."""
    unheard: str | None = None
    """Why Temporal could not be told; None: it answered."""


async def end_workflows(connect: Callable[[], Awaitable[Client]], endings: Mapping[str, SignedEnd]) -> Heard:
    """Send each grant's workflow its ``end``. Idempotent; raises nothing that Temporal's absence can cause."""
    told: set[str] = set()

    async def tell(client: Client, request_id: str, ending: SignedEnd) -> None:
        try:
            await client.get_workflow_handle(workflow_id(request_id)).signal(END, ending)
        except RPCError:
            return
        told.add(request_id)

    try:
        async with asyncio.timeout(WITHIN.total_seconds()):
            client = await connect()
            await asyncio.gather(*(tell(client, request_id, ending) for request_id, ending in endings.items()))
    except (EngineUnreachableError, SettingsError) as error:
        return Heard(frozenset(told), str(error))
    except TimeoutError:
        return Heard(frozenset(told), "Temporal does not answer.")
    return Heard(frozenset(told))
