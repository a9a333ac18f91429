"""Connections are used again, and none that is broken, or was left in the middle of an answer.

What is sent over a connection that the other side has closed is lost; what is read from one whose last answer was
given up belongs to another request.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import httpx
import pytest

from entra_jit.graph.spread_connections import CONNECTIONS, POOLS, SpreadTransport

ALL = POOLS * CONNECTIONS


class Server:
    """Answers each request with its path; counts connections."""

    def __init__(self) -> None:
        self.connections = 0
        self.url = ""
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection. ``/slow`` is begun and never ended."""
        self.connections += 1
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split()[1]
                length = 1000 if path == b"/slow" else len(path)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (length, path))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.hang_up()

    def hang_up(self) -> None:
        """Close every connection, as Microsoft does with those that are idle."""
        for writer in self._open:
            writer.close()
        self._open.clear()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield server
    listening.close()
    server.hang_up()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=SpreadTransport(ssl.create_default_context()), timeout=5) as http:
        yield http


async def test_a_connection_is_used_again(server: Server, http: httpx.AsyncClient) -> None:
    for number in range(20):
        assert (await http.get(f"{server.url}/{number}")).text == f"/{number}"
    assert server.connections == 1
    await asyncio.gather(*(http.get(f"{server.url}/{number}") for number in range(8)))
    await asyncio.gather(*(http.get(f"{server.url}/{number}") for number in range(8)))
    assert server.connections <= 8


async def test_one_that_was_closed_is_not(server: Server, http: httpx.AsyncClient) -> None:
    await asyncio.gather(*(http.get(f"{server.url}/{number}") for number in range(3)))
    server.hang_up()
    await asyncio.sleep(0.05)
    assert (await http.get(f"{server.url}/again")).text == "/again"


async def test_one_whose_answer_was_given_up_is_not_and_gives_its_place_back(
    server: Server, http: httpx.AsyncClient
) -> None:
    for _ in range(ALL + 1):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await http.get(f"{server.url}/slow")
    assert (await http.get(f"{server.url}/next")).text == "/next"


async def test_one_that_cannot_be_opened_gives_its_place_back(server: Server, http: httpx.AsyncClient) -> None:
    for _ in range(ALL + 1):
        with pytest.raises(httpx.ConnectError):
            await http.get("http://127.0.0.1:1/")
    assert (await http.get(f"{server.url}/next")).text == "/next"


async def test_a_request_that_waits_too_long_for_a_place_is_not_sent(server: Server, http: httpx.AsyncClient) -> None:
    timeout = httpx.Timeout(5, pool=0.2)
    slow = [asyncio.create_task(http.get(f"{server.url}/slow", timeout=timeout)) for _ in range(ALL + 1)]
    with pytest.raises(httpx.PoolTimeout):
        await next(asyncio.as_completed(slow))
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
