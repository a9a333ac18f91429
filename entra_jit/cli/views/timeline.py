"""Following a request as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from rich.console import Console

from entra_jit.app import App
from entra_jit.cli.views.formatting import line, with_state
from entra_jit.cli.views.receipt import step_line
from entra_jit.operations.show_status import show_progress
from models.actor import Actor
from models.events import Event
from models.messages import GrantState, GrantStatus, Step

LOOK_ANYWAY_SECONDS = 5.0

BEGINNINGS = frozenset({GrantState.ASKED, GrantState.PREPARING, GrantState.CLOSING})
"""States that steps follow; the others are what steps led to."""


class Timeline:
    """What happens to one request, one line each, printed once.

    ``calls``: with the number of calls and the last request id of each step.
    """

    def __init__(self, actor: Actor, app: App, request_id: str, console: Console, *, calls: bool = False) -> None:
        self._actor = actor
        self._app = app
        self._request_id = request_id
        self._console = console
        self._calls = calls
        self._looks = 0
        self._printed: list[Step] = []
        self._state: GrantState | None = None

    async def follow(self, *wanted: GrantState) -> GrantStatus:
        """Print every step and every change of state as it is recorded, until the state is ``wanted`` or final."""
        async with self._app.events.subscribe() as happening:
            while True:
                status = await self._show_progress()
                if status.state in wanted or status.state.is_final:
                    return status
                await self._something_happens(happening)

    def show_steps(self, steps: Sequence[Step]) -> None:
        """Those not printed yet: steps run side by side, and one may be recorded after a step that ended later."""
        for step in steps:
            if step not in self._printed:
                self._line(step_line(step, calls=self._calls))
                self._printed.append(step)

    async def _show_progress(self) -> GrantStatus:
        progress = await show_progress(self._actor, self._app, self._request_id)
        status = progress.status
        self._looks += 1
        if status.state is GrantState.ASKED and self._looks == 1:
            return status  # most are decided before anyone could have read that they are not
        if status.state in BEGINNINGS:
            self._show_state(status)
        self.show_steps(progress.steps)
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
            self._line(with_state(status.state, status.sentence))

    def _line(self, text: str) -> None:
        line(self._console, f"  {text}")
