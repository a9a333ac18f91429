"""Connections to Microsoft that stay open, spread over small pools of httpx's own.

For each request, httpcore's pool looks at all of its connections several times, and polls their sockets. With 32
requests at the same time one pool takes 4.4 ms of processor time a request, small ones 1.3 ms.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from functools import partial

import httpx

POOLS = 25
CONNECTIONS = 4
"""In one pool. Hundreds of tenants share one host, and each pool serves all of them."""

KEPT_SECONDS = 30.0
"""How long a connection is kept that is not used: it goes before Microsoft drops it."""


class SpreadTransport(httpx.AsyncBaseTransport):
    """Each request goes by the first of the pools that have the fewest to answer, so one at a time uses one connection.

    It takes no proxy from the environment.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        """``context``: whom to trust."""
        limits = httpx.Limits(
            max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=KEPT_SECONDS
        )
        self._pools = [httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits) for _ in range(POOLS)]
        self._unanswered = [0] * POOLS

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer. Its pool has it to answer until its body is closed."""
        number = self._unanswered.index(min(self._unanswered))
        self._unanswered[number] += 1
        try:
            response = await self._pools[number].handle_async_request(request)
        except BaseException:
            self._is_answered(number)
            raise
        response.stream = _Body(response, partial(self._is_answered, number))
        return response

    def _is_answered(self, number: int) -> None:
        self._unanswered[number] -= 1

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools:
            await pool.aclose()


class _Body(httpx.AsyncByteStream):
    """The body of one answer. It is closed once, as httpx promises."""

    def __init__(self, response: httpx.Response, is_closed: Callable[[], None]) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101  # for the type
        self._stream = response.stream
        self._is_closed = is_closed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._is_closed()
