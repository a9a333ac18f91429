"""One call to Graph in one tenant: a token, a request, a deadline, and an answer or one of our errors."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

import httpx
import structlog
from pydantic import JsonValue

from graph import addresses
from graph.answers import Answer, Listing, R, document_of, error_of
from graph.catalogue import Failure, explain, retry_after, unreachable
from graph.operations import Operation
from graph.tokens import TokenSource
from models.messages import DirectoryCall

Clock = Callable[[], datetime]
"""Tells the time: timezone-aware, UTC."""

Body = Mapping[str, JsonValue]

_DONE = (httpx.codes.OK, httpx.codes.CREATED, httpx.codes.NO_CONTENT)
"""202 is not among them: Graph answers it to a read while an object is still being copied."""

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)

_log = structlog.get_logger("graph")


class Calls:
    """The line to one tenant. Safe for any number of concurrent calls; repeats none of them."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        tokens: TokenSource,
        *,
        graph_url: str,
        tenant: str,
        timeout: float,
        clock: Clock,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._graph_url = graph_url
        self.tenant = tenant
        self._timeout = timeout
        self._clock = clock

    async def get(self, operation: Operation, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """Read one thing, or the first page of a collection."""
        return await self._call(operation, "GET", self._graph_url + path + addresses.query(query or {}))

    async def post(self, operation: Operation, path: str, body: Body | None = None) -> Answer:
        """Create, or call an action (those take no body)."""
        return await self._call(operation, "POST", self._graph_url + path, body)

    async def patch(self, operation: Operation, path: str, body: Body) -> Answer:
        """Change properties."""
        return await self._call(operation, "PATCH", self._graph_url + path, body)

    async def delete(self, operation: Operation, path: str) -> Answer:
        """Remove."""
        return await self._call(operation, "DELETE", self._graph_url + path)

    async def pages(
        self, operation: Operation, path: str, query: Mapping[str, str] | None = None
    ) -> AsyncIterator[Answer]:
        """Every page of a collection, each with a deadline of its own. An empty page need not be the last."""
        answer = await self.get(operation, path, query)
        yield answer
        while (following := answer.document.get("@odata.nextLink")) is not None:
            if not isinstance(following, str) or not addresses.is_below(following, self._graph_url):
                answer.make_no_sense("the next page lies outside of Graph; the token was not sent there")
            answer = await self._call(operation, "GET", following)
            yield answer

    async def listing(
        self, operation: Operation, path: str, kind: type[R], query: Mapping[str, str] | None = None
    ) -> Listing[R]:
        """A whole collection, read."""
        members: list[R] = []
        async for page in self.pages(operation, path, query):
            members += page.read_each(kind)
        return Listing(tuple(members), page.evidence)

    async def _call(self, operation: Operation, method: str, url: str, body: Body | None = None) -> Answer:
        path = urlsplit(url).path.removeprefix(urlsplit(self._graph_url).path)
        call = Failure(self.tenant, operation, method, path, client_request_id=str(uuid.uuid4()), sent=False)
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                token = await self._tokens.token()
                call = replace(call, sent=True)
                response = await self._send(call, url, body, token)
                if response.status_code == httpx.codes.UNAUTHORIZED:
                    # Expired early, or revoked: one new token, once. What was answered 401 has changed nothing.
                    self._tokens.forget(token)
                    response = await self._send(call, url, body, await self._tokens.token())
        except TimeoutError:
            call = replace(call, message=f"no answer within {self._timeout:g} seconds")
            _note(call, began)
            raise unreachable(call) from None
        except httpx.RequestError as error:
            sent = not isinstance(error, _NEVER_SENT)
            call = replace(call, sent=sent, message=f"{type(error).__name__}: {error}".removesuffix(": "))
            _note(call, began)
            raise unreachable(call) from None
        return self._judge(call, response, began)

    async def _send(self, call: Failure, url: str, body: Body | None, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "client-request-id": call.client_request_id or ""}
        return await self._http.request(call.method, url, json=body, headers=headers)

    def _judge(self, call: Failure, response: httpx.Response, began: float) -> Answer:
        now = self._clock()
        call = replace(
            call,
            status=response.status_code,
            request_id=response.headers.get("request-id"),
            retry_after=retry_after(response.headers.get("Retry-After"), now),
        )
        document = document_of(response)
        if response.status_code not in _DONE or document is None:
            code, message = error_of(document)
            call = replace(call, code=code, message=message)
            _note(call, began)
            raise explain(call)
        _note(call, began)
        evidence = DirectoryCall(
            method=call.method,
            path=call.path,
            status=response.status_code,
            request_id=call.request_id,
            client_request_id=call.client_request_id or "",
            answered_at=now,
        )
        return Answer(document, evidence, call)


def _note(call: Failure, began: float) -> None:
    # Writes are worth a line in production; reads are many.
    line = _log.info if call.writes else _log.debug
    line(
        "graph call",
        tenant=call.tenant,
        method=call.method,
        path=call.path,
        status=call.status,
        code=call.code,
        message=call.message,
        request_id=call.request_id,
        client_request_id=call.client_request_id,
        milliseconds=round((time.monotonic() - began) * 1000),
    )
