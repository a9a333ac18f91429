"""The way back for a browser on the operator's machine: an address of this machine alone, for as long as one command.

https://datatracker.ietf.org/doc/html/rfc8252#section-7.3
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import cast
from urllib.parse import parse_qsl, urlsplit

COOKIE = "entra-jit-connection"
_IDLE_SECONDS = 5.0
"""Browsers open connections ahead that they never use."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Content-Type": "text/html; charset=utf-8",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_PAGE = (
    '<!doctype html><html lang="en"><title>entra-jit</title>'
    '<body style="font: 1.1rem/1.5 system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem"><p>{}</p>'
)


@dataclass(frozen=True)
class Visit:
    """What a browser brought."""

    path: str
    query: Mapping[str, str]
    cookie: str
    """What was remembered in this browser; empty: nothing."""


@dataclass(frozen=True)
class Reply:
    """What the browser gets: an address to go to, or a sentence on a page."""

    sentence: str = ""
    go_to: str | None = None
    remember: str | None = None
    """What only this browser is to bring back from now on."""
    status: HTTPStatus = HTTPStatus.OK
    is_last: bool = False


Answer = Callable[[Visit], Awaitable[Reply]]


@dataclass(frozen=True)
class Loopback:
    """A server for browsers of this machine."""

    origin: str
    """``http://localhost:54321``. Microsoft ignores the port of a registered ``http://localhost`` address."""
    done: asyncio.Event
    """The last reply has been sent."""


@asynccontextmanager
async def loopback(answer: Answer) -> AsyncIterator[Loopback]:
    """Serve on a free port of this machine; ``answer`` runs in this event loop."""
    server = _Server(answer, asyncio.get_running_loop())
    Thread(target=server.serve_forever, name="loopback", daemon=True).start()
    try:
        yield Loopback(server.origin, server.done)
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer: Answer, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.origin = f"http://localhost:{self.server_port}"
        self.done = asyncio.Event()
        self._answer = answer
        self._loop = loop

    def reply(self, visit: Visit) -> Reply:
        """The answer, waited for in a thread of a browser's."""
        return asyncio.run_coroutine_threadsafe(self._answered(visit), self._loop).result()

    def sent_the_last(self) -> None:
        """Tell the event loop."""
        self._loop.call_soon_threadsafe(self.done.set)

    async def _answered(self, visit: Visit) -> Reply:
        return await self._answer(visit)


class _Handler(BaseHTTPRequestHandler):
    timeout = _IDLE_SECONDS
    server_version, sys_version = "entra-jit", ""

    def do_GET(self) -> None:
        server = cast("_Server", self.server)
        # A page of elsewhere whose name was made to mean this machine is no browser of ours.
        if self.headers.get("Host") != urlsplit(server.origin).netloc:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        parts = urlsplit(self.path)
        cookie = _remembered(self.headers.get("Cookie", ""))
        reply = server.reply(Visit(parts.path, dict(parse_qsl(parts.query)), cookie))
        try:
            self._send(reply)
        finally:
            if reply.is_last:
                server.sent_the_last()

    def log_message(self, *_: object, **__: object) -> None:
        """Nothing: addresses hold codes."""

    def _send(self, reply: Reply) -> None:
        page = _PAGE.format(escape(reply.sentence)).encode()
        self.send_response(HTTPStatus.FOUND if reply.go_to else reply.status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if reply.go_to:
            self.send_header("Location", reply.go_to)
        if reply.remember:
            # Lax: Microsoft's redirect brings it, a form that another site posts does not.
            self.send_header("Set-Cookie", f"{COOKIE}={reply.remember}; Path=/; HttpOnly; SameSite=Lax")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


def _remembered(header: str) -> str:
    # The standard library gives up at the first cookie that it cannot read, and all of localhost shares cookies.
    cookies = (part.strip().partition("=") for part in header.split(";"))
    return next((value for name, _, value in cookies if name == COOKIE), "")
