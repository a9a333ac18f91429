"""Following a request as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from rich.console import Console
from rich.markup import escape

from entra_jit.cli.views.formatting import coloured, line
from entra_jit.cli.views.receipt import step_line
from entra_jit.operations.deployment import Deployment
from entra_jit.operations.show_status import show_progress
from models.events import Event
from models.messages import GrantState, GrantStatus

LOOK_ANYWAY_SECONDS = 5.0

BEGINNINGS = frozenset({GrantState.ASKED, GrantState.PREPARING, GrantState.CLOSING})
"""States that steps follow; the others are what steps led to."""


class Timeline:
    """What happens to one request, a line each, printed once."""

    def __init__(self, deployment: Deployment, request_id: str, console: Console) -> None:
        self._deployment = deployment
        self._request_id = request_id
        self._console = console
        self._printed = 0
        self._state: GrantState | None = None

    async def follow(self, *wanted: GrantState) -> GrantStatus:
        """Print every step and every change of state as it is recorded, until the state is ``wanted`` or final."""
        async with self._deployment.events.subscribe() as happening:
            while True:
                status = await self._show_progress()
                if status.state in wanted or status.state.is_final:
                    return status
                await self._something_happens(happening)

    async def _show_progress(self) -> GrantStatus:
        progress = await show_progress(self._deployment, self._request_id)
        status = progress.status
        if status.state in BEGINNINGS:
            self._show_state(status)
        for step in progress.steps[self._printed :]:
            self._line(step_line(step))
        self._printed = len(progress.steps)
        self._show_state(status)
        return status

    async def _something_happens(self, happening: AsyncIterator[Event]) -> None:
        """Wait for an event of this request; not for ever, so that a ledger that is away is told."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_ANYWAY_SECONDS):
                while (await anext(happening)).request_id != self._request_id:
                    pass

    def _show_state(self, status: GrantStatus) -> None:
        if status.state is not self._state:
            self._state = status.state
            self._line(f"{coloured(status.state)}  {escape(status.sentence)}")

    def _line(self, text: str) -> None:
        line(self._console, f"  {text}")
