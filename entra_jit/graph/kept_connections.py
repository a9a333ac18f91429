"""Connections to Microsoft that stay open, handed out in constant time: the one that was used last comes first.

For each request, httpcore's own pool looks at all of its connections several times, and polls their sockets. With 32
accounts disabled at the same time, that took a third of a closer's processor time. Hundreds of tenants share one host.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from functools import partial
from types import TracebackType
from typing import Any, Self

import httpcore
import httpx

MOST = 100
"""Connections in use at the same time."""

KEPT_SECONDS = 30.0
"""How long a connection is kept that is not used: it goes before Microsoft drops it."""


class KeptTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport, over these connections. It takes no proxy from the environment."""

    def __init__(self, context: ssl.SSLContext) -> None:
        """``context``: whom to trust."""
        super().__init__(verify=context, trust_env=False)
        self._pool = _KeptConnections(context)  # type: ignore[assignment]  # it has no public place


class _KeptConnections:
    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._places = asyncio.Semaphore(MOST)
        self._kept: defaultdict[str, deque[httpcore.AsyncHTTPConnection]] = defaultdict(deque)

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """The answer; its connection is free again once its body is closed."""
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("pool")):
                await self._places.acquire()
        except TimeoutError:
            raise httpcore.PoolTimeout from None
        connection, origin = None, request.url.origin
        try:
            connection = await self._take(origin)
            response = await connection.handle_async_request(request)
        except BaseException:
            self._places.release()
            if connection is not None:
                await connection.aclose()
            raise
        return httpcore.Response(
            status=response.status,
            headers=response.headers,
            content=_Body(response.stream, partial(self._give_back, origin, connection)),
            extensions=response.extensions,
        )

    async def _take(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        kept = self._kept[str(origin)]
        while kept and kept[0].has_expired():
            await kept.popleft().aclose()
        while kept:
            connection = kept.pop()
            if connection.is_idle() and not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(origin, ssl_context=self._context, keepalive_expiry=KEPT_SECONDS)

    def _give_back(self, origin: httpcore.Origin, connection: httpcore.AsyncHTTPConnection) -> None:
        # Where the answer was given up before its end, httpcore has closed it.
        self._places.release()
        if connection.is_idle():
            self._kept[str(origin)].append(connection)

    async def aclose(self) -> None:
        """Close what is kept."""
        for kept in self._kept.values():
            while kept:
                await kept.pop().aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class _Body:
    """The body of one answer."""

    def __init__(self, stream: Any, give_back: Callable[[], None]) -> None:
        self._stream = stream
        self._give_back = give_back
        self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        """Give the connection back. Idempotent."""
        if not self._is_closed:
            self._is_closed = True
            try:
                await self._stream.aclose()
            finally:
                self._give_back()
