"""Tell many workflows at once to end, in a bounded time, whether or not Temporal answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from temporalio.service import RPCError

from entra_jit.operations.deployment import Deployment
from entra_jit.temporal.connect import EngineUnreachableError
from models.errors import SettingsError
from models.messages import EndAccess
from models.names import END

WITHIN = timedelta(seconds=10)


@dataclass(frozen=True)
class Heard:
    """Who was told."""

    told: frozenset[str]
    """The grants whose workflow has taken it, durably. The others have none any more, or could not be reached."""
    unheard: str | None = None
    """Why Temporal could not be told; None: it answered."""


async def end_workflows(deployment: Deployment, endings: Mapping[str, EndAccess]) -> Heard:
    """Send each grant's workflow its ``end``. Idempotent; raises nothing that Temporal's absence can cause."""
    told: set[str] = set()

    async def tell(request_id: str, ending: EndAccess) -> None:
        workflow = await deployment.workflow_of(request_id)
        try:
            await workflow.signal(END, ending)
        except RPCError:
            return
        told.add(request_id)

    try:
        async with asyncio.timeout(WITHIN.total_seconds()):
            await deployment.engine()
            await asyncio.gather(*(tell(request_id, ending) for request_id, ending in endings.items()))
    except (EngineUnreachableError, SettingsError) as error:
        return Heard(frozenset(told), str(error))
    except TimeoutError:
        return Heard(frozenset(told), "Temporal does not answer.")
    return Heard(frozenset(told))
