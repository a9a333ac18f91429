"""One call to Graph in one tenant: a token, a request, a deadline, and an answer or one of our errors."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from urllib.parse import urljoin, urlsplit

import httpx
import structlog
from pydantic import JsonValue

from entra_jit.graph import addresses
from entra_jit.graph.answers import Answer, Listing, R, document_of, error_inside, error_of
from entra_jit.graph.catalogue import Attempt, broken_off, explain, retry_after, unreachable
from entra_jit.graph.errors import LostPageError
from entra_jit.graph.granted import Granted, granted_by
from entra_jit.graph.operations import Operation
from entra_jit.graph.retry_budget import RetryBudget, ask_once
from entra_jit.graph.tokens import TokenSource
from models.messages import DirectoryCall

Clock = Callable[[], datetime]
"""Tells the time: timezone-aware, UTC."""

Body = Mapping[str, JsonValue]

_ADVANCED_HEADER = {"ConsistencyLevel": "eventual"}
_ADVANCED_QUERY = {"$count": "true"}
"""Without both of them Microsoft refuses what only its eventually consistent index knows."""

_DECLARED_AS_JSON = frozenset({"POST", "PATCH"})
_JSON_HEADER = {"Content-Type": "application/json"}
"""Also of actions without a body: without it Microsoft refused to revoke sessions (msgraph-sdk-java#687)."""


_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

_log = structlog.get_logger("graph")


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer said beside what was asked."""

    began_at: datetime
    """When it was asked for, by our clock."""
    at: datetime
    """When it had come, by our clock."""
    date: datetime | None
    """By Microsoft's, in whole seconds; None: it did not say."""
    throttle_limit: float | None
    """How much of a limit is used, 1 being all. Microsoft says so above 0.8 only."""


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
        hear: Callable[[Heard], None],
        monotonic: Callable[[], float],
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._graph_url = graph_url
        self.tenant = tenant
        self._timeout = timeout
        self._clock = clock
        self._hear = hear
        self._monotonic = monotonic
        self.heard: Heard | None = None

    def address(self, path: str) -> str:
        """The whole address of a thing in Graph, as bodies refer to it."""
        return self._graph_url + path

    async def get(
        self, operation: Operation, path: str, query: Mapping[str, str] | None = None, *, in_beta: bool = False
    ) -> Answer:
        """Read one thing, or the first page of a collection. ``in_beta``: what is wanted is not in v1.0."""
        return await self.call(operation, "GET", self._base(in_beta) + path + addresses.query(query or {}))

    async def post(self, operation: Operation, path: str, body: Body | None = None) -> Answer:
        """Create, or call an action (those take no body)."""
        return await self.call(operation, "POST", self._graph_url + path, body)

    async def patch(self, operation: Operation, path: str, body: Body) -> Answer:
        """Change properties."""
        return await self.call(operation, "PATCH", self._graph_url + path, body)

    async def delete(self, operation: Operation, path: str, *, in_beta: bool = False) -> Answer:
        """Remove. ``in_beta``: the removal is not in v1.0."""
        return await self.call(operation, "DELETE", self._base(in_beta) + path)

    def _base(self, in_beta: bool) -> str:  # noqa: FBT001
        return urljoin(self._graph_url, "beta") if in_beta else self._graph_url

    async def pages(
        self,
        operation: Operation,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        advanced: bool = False,
        patience: RetryBudget | None = None,
    ) -> AsyncIterator[Answer]:
        """Every page of a collection, each with a deadline of its own. An empty page need not be the last.

        ``advanced`` asks the index that Microsoft keeps for what its directory cannot be asked; it is behind, and it
        is asked with the same header for each page. Microsoft's reference lists which filters need it. With
        ``patience`` a page that is put off is asked for again, and not the whole collection.
        """
        ask = partial(patience.ask, unless=(LostPageError,)) if patience else ask_once
        first = self._graph_url + path + addresses.query({**(query or {}), **(_ADVANCED_QUERY if advanced else {})})
        answer = await ask(partial(self.call, operation, "GET", first, advanced=advanced))
        yield answer
        while (following := answer.document.get("@odata.nextLink")) is not None:
            if not isinstance(following, str) or not addresses.is_below(following, self._graph_url):
                answer.raise_malformed("the next page lies outside of Graph; the token was not sent there")
            answer = await ask(partial(self.call, operation, "GET", following, advanced=advanced))
            yield answer

    async def sign_in(self) -> None:
        """Get a token where there is none. Raises what signing in raises."""
        await self._tokens.token()

    async def granted(self, *, anew: bool = False) -> Granted | None:
        """What the present token grants; None where it cannot be read. Signs in where there is none, or ``anew``."""
        try:
            async with asyncio.timeout(self._timeout):
                token = await self._tokens.token()
                if anew:
                    self._tokens.forget(token)
                    token = await self._tokens.token()
                return granted_by(token)
        except TimeoutError:
            return None

    async def listing(
        self,
        operation: Operation,
        path: str,
        kind: type[R],
        query: Mapping[str, str] | None = None,
        *,
        most: float = math.inf,
        patience: RetryBudget | None = None,
    ) -> Listing[R]:
        """A whole collection, read; no further page once it has ``most`` members. ``patience`` as for ``pages``."""
        members: list[R] = []
        async for page in self.pages(operation, path, query, patience=patience):
            members += page.read_each(kind)
            if len(members) >= most and "@odata.nextLink" in page.document:
                return Listing(tuple(members), page.evidence, is_whole=False)
        return Listing(tuple(members), page.evidence)

    async def call(
        self,
        operation: Operation,
        method: str,
        url: str,
        body: Body | None = None,
        *,
        advanced: bool = False,
    ) -> Answer:
        """One call, tried once, except that a token which is not accepted is replaced."""
        path = urlsplit(url).path.removeprefix(urlsplit(self._graph_url).path)
        attempt = Attempt(self.tenant, operation, method, path, sent=False)
        began, began_at = self._monotonic(), self._clock()
        timeout = operation.timeout or self._timeout
        until = began + timeout
        try:
            async with asyncio.timeout(timeout):
                token = await self._tokens.token()
                attempt = replace(attempt, sent=True)
                response = await self._send(attempt, url, body, token, until, advanced=advanced)
                if response.status_code == httpx.codes.UNAUTHORIZED:
                    # Expired early, or revoked: one new token, once. What was answered 401 has changed nothing.
                    self._tokens.forget(token)
                    token = await self._tokens.token()
                    response = await self._send(attempt, url, body, token, until, advanced=advanced)
        except TimeoutError:
            attempt = replace(attempt, message=f"no answer within {timeout:g} seconds")
            self._note(attempt, began)
            raise unreachable(attempt) from None
        except httpx.RequestError as error:
            sent = not isinstance(error, _NEVER_SENT)
            attempt = replace(attempt, sent=sent, message=f"{type(error).__name__}: {error}".removesuffix(": "))
            self._note(attempt, began)
            raise unreachable(attempt) from None
        return self._judge(attempt, response, began, began_at)

    async def _send(
        self, attempt: Attempt, url: str, body: Body | None, token: str, until: float, *, advanced: bool
    ) -> httpx.Response:
        async def expect_in_time(event: str, _: Mapping[str, object]) -> None:
            # asyncio's own limit does not count the hours of a suspended machine, and a lease would be long over.
            if event.endswith("send_request_headers.started") and self._monotonic() > until:
                raise httpx.PoolTimeout("this process stood still before it was sent")

        headers = {"Authorization": f"Bearer {token}", "client-request-id": attempt.client_request_id}
        if advanced:
            headers |= _ADVANCED_HEADER
        if attempt.method in _DECLARED_AS_JSON:
            headers |= _JSON_HEADER
        timeout = httpx.Timeout(self._timeout, read=attempt.operation.timeout or self._timeout)
        extensions = {"trace": expect_in_time}
        return await self._http.request(
            attempt.method, url, json=body, headers=headers, timeout=timeout, extensions=extensions
        )

    def _judge(self, attempt: Attempt, response: httpx.Response, began: float, began_at: datetime) -> Answer:
        now = self._clock()
        self.heard = _heard(response, began_at, now)
        self._hear(self.heard)
        attempt = replace(
            attempt,
            status=response.status_code,
            request_id=response.headers.get("request-id"),
            retry_after=retry_after(response.headers.get("Retry-After"), now),
        )
        document = document_of(response)
        if document is None and response.is_success and (inner := error_inside(response)):
            code, message = error_of(inner)
            attempt = replace(attempt, code=code, message=message)
            self._note(attempt, began)
            raise broken_off(attempt)
        # 202 to a read means that the object is still being copied between data centres.
        arrived = response.is_success and (attempt.writes or response.status_code != httpx.codes.ACCEPTED)
        if not arrived or document is None:
            code, message = error_of(document)
            attempt = replace(attempt, code=code, message=message)
            self._note(attempt, began)
            raise explain(attempt)
        self._note(attempt, began)
        evidence = DirectoryCall(
            method=attempt.method,
            path=attempt.path,
            status=response.status_code,
            request_id=attempt.request_id,
            client_request_id=attempt.client_request_id,
            answered_at=now,
        )
        return Answer(document, evidence, attempt)

    def _note(self, attempt: Attempt, began: float) -> None:
        _log_call(attempt, self._monotonic() - began)


def _heard(response: httpx.Response, began_at: datetime, now: datetime) -> Heard:
    try:
        date = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        date = None
    try:
        share = float(response.headers.get("x-ms-throttle-limit-percentage", ""))
    except ValueError:
        share = None
    return Heard(began_at, now, date, share)


def _log_call(attempt: Attempt, seconds: float) -> None:
    # Writes are worth a line in production; reads are many.
    line = _log.info if attempt.writes else _log.debug
    line(
        "graph call",
        tenant=attempt.tenant,
        method=attempt.method,
        path=attempt.path,
        status=attempt.status,
        request_id=attempt.request_id,
        client_request_id=attempt.client_request_id,
        milliseconds=round(seconds * 1000),
        **({"code": attempt.code, "message": attempt.message} if attempt.code or attempt.message else {}),
    )
