"""Whether Temporal answers, asked beside the pages: they never wait for it, and say so where it is away."""

from __future__ import annotations

import asyncio

from temporalio.service import RPCError

from entra_jit.app import App
from models.errors import EntraJitError

EVERY_SECONDS = 5.0
ANSWERS_WITHIN = 3.0


class EngineWatch:
    """Asks Temporal every few seconds."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.is_away = False
        """Temporal did not answer when it was last asked: nothing can be started or ended by its workflow."""

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self.is_away = not await self._answers()
            await asyncio.sleep(EVERY_SECONDS)

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                return await (await self._app.temporal()).service_client.check_health()
        except (RPCError, EntraJitError, TimeoutError):
            return False
