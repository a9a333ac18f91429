"""What happens to requests, to all who look at them: one poller of the journal a process, however many look.

The server sends the live part of the page anew when something happened. What a browser missed while it was away is in
what it is sent next, because the whole part is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from entra_jit.app import App
from entra_jit.identity import sessions
from entra_jit.operations.show_grant import Seen, ShownGrant, show_grant
from entra_jit.web.visitors import Visitor
from models.errors import EntraJitError, UnreachableError
from models.names import technician_named_in

PING_EVERY = timedelta(seconds=15)
"""How often a stream says that it lives, and whether its session does is looked up."""

PING = ": ping\n\n"

OVER = "over"
"""The event after which the browser asks no more."""

_log = structlog.get_logger("portal")


@dataclass(eq=False)
class _Viewer:
    visitor: Visitor
    request_id: str | None
    """None: every request of their own."""
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    is_signed_out: bool = False
    is_lost: bool = False
    """Nothing is heard of the journal any more; the browser asks again."""

    def looks_at(self, request_id: str | None) -> bool:
        """Whether this request is among what they look at."""
        if self.request_id is not None:
            return self.request_id == request_id
        return request_id is not None and technician_named_in(request_id) == self.visitor.technician

    async def pings(self) -> AsyncGenerator[str, None]:
        """Signs of life until something happened."""
        while not await self.wait():
            yield PING

    async def wait(self) -> bool:
        """Whether anything happened before the next ping is due."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PING_EVERY.total_seconds()):
                await self.woken.wait()
        happened = self.woken.is_set()
        self.woken.clear()
        return happened


class Live:
    """Of one process. It follows the journal while anyone looks."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._viewers: set[_Viewer] = set()
        self._following: asyncio.Task[None] | None = None
        self._reads: dict[str, asyncio.Task[ShownGrant]] = {}

    async def stream(
        self, visitor: Visitor, request_id: str, seen: Seen | None, render: Callable[[ShownGrant], Awaitable[str]]
    ) -> AsyncGenerator[str, None]:
        """The live part as ``render`` makes it, each time that more happened than ``seen``, as server-sent events.

        The caller has asked ``show_grant`` for the visitor. Ends with the request, and with the visitor's session.
        """
        viewer = _Viewer(visitor, request_id)
        with self._joined(viewer):
            while not viewer.is_lost:
                shown = await self._read(visitor, request_id)
                if shown.seen != seen:
                    seen = shown.seen
                    yield message(await render(shown), f"{seen.last}-{seen.entries}")
                if shown.status.state.is_final:
                    yield message("", "", OVER)
                    return
                async for ping in viewer.pings():
                    yield ping
                if viewer.is_signed_out:
                    yield SIGNED_OUT
                    return

    async def own(self, visitor: Visitor, render: Callable[[], Awaitable[str]]) -> AsyncGenerator[str, None]:
        """What ``render`` makes of the visitor's own requests, each time that something happened to one of them.

        Ends with the visitor's session.
        """
        viewer = _Viewer(visitor, None)
        with self._joined(viewer):
            while not viewer.is_lost:
                yield message(await render(), "")
                async for ping in viewer.pings():
                    yield ping
                if viewer.is_signed_out:
                    yield SIGNED_OUT
                    return

    @contextmanager
    def _joined(self, viewer: _Viewer) -> Iterator[None]:
        self._viewers.add(viewer)
        if self._following is None or self._following.done():
            self._following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            self._viewers.discard(viewer)
            if not self._viewers and self._following is not None:
                self._following.cancel()
                self._following = None
                self._reads.clear()  # from now on they would not be brought up to date

    async def _follow(self) -> None:
        """Wake those whose request something happened to; look up all sessions in one statement."""
        try:
            async with self._app.events.subscribe() as happening:
                self._wake(None)  # what happened before we followed
                while True:
                    try:
                        async with asyncio.timeout(PING_EVERY.total_seconds()):
                            event = await anext(happening)
                    except TimeoutError:
                        await self._end_signed_out()
                        continue
                    if any(viewer.looks_at(event.request_id) for viewer in self._viewers):
                        await self._end_signed_out()
                        self._wake(event.request_id)
        except EntraJitError as error:
            _log.warning("live pages have stopped", because=str(error))
        finally:
            for viewer in self._viewers:
                viewer.is_lost = True
            self._wake(None)

    def _wake(self, request_id: str | None) -> None:
        for viewer in self._viewers:
            if request_id is None or viewer.looks_at(request_id):
                self._reads.pop(viewer.request_id or "", None)
                viewer.woken.set()

    async def _end_signed_out(self) -> None:
        ids = [viewer.visitor.session.id for viewer in self._viewers]
        with suppress(UnreachableError):  # a ledger that is away says nothing of sessions, and shows nothing either
            lasting = await sessions.still_open(self._app.ledger, ids, self._app.clock())
            for viewer in self._viewers:
                if viewer.visitor.session.id not in lasting:
                    viewer.is_signed_out = True
                    viewer.woken.set()

    async def _read(self, visitor: Visitor, request_id: str) -> ShownGrant:
        """The request as it stands, read once for all who look at it."""
        reading = self._reads.get(request_id)
        if reading is None:
            reading = asyncio.create_task(show_grant(visitor.actor, self._app, request_id))
            self._reads[request_id] = reading
        try:
            return await asyncio.shield(reading)
        except EntraJitError:
            self._reads.pop(request_id, None)
            raise


def message(data: str, number: str, event: str = "") -> str:
    """One server-sent event."""
    lines = [f"event: {event}"] if event else []
    lines += [f"id: {number}"] if number else []
    lines += [f"data: {line}" for line in data.splitlines() or [""]]
    return "\n".join(lines) + "\n\n"


_BANNER = '<p class="banner">You are signed out. <a href="">Sign in again</a></p>'
SIGNED_OUT = message(_BANNER, "") + message("", "", OVER)
"""The last that a page hears."""


def read_seen(text: str) -> Seen | None:
    """How much a browser says that it has seen; None: it says nothing that is ours, so it is sent everything."""
    last, _, count = text.partition("-")
    return Seen(int(last), int(count)) if last.isdecimal() and count.isdecimal() else None
