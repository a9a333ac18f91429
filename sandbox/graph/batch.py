"""``$batch``: up to twenty requests in one, each served, throttled, failed and logged as if it had come alone.

Either all are independent, or each waits for the one before; a request whose predecessor failed is not tried.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import pydantic_core

from sandbox.exchange import Answer, Exchange, Json
from sandbox.graph.errors import GraphError, malformed, unreadable_payload

LARGEST = 20
_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
_DECLARED = _METHODS - {"GET", "DELETE"}
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_KEPT_HEADERS = ("authorization", "user-agent", "host")
_NOT_REPEATED = frozenset({"transfer-encoding", "content-length", "vary", "strict-transport-security"})

Serve = Callable[[Exchange], Awaitable[Answer | None]]
"""Serves one request; None if its connection was dropped."""


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a batch."""

    id: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: Json
    depends_on: tuple[str, ...]


def is_batch(exchange: Exchange) -> bool:
    """Whether this request is a batch."""
    return exchange.method == "POST" and [part.lower() for part in exchange.segments[1:]] == ["$batch"]


def parts_of(exchange: Exchange) -> list[Part]:
    """The requests of a batch, checked. Raises ``GraphError`` for the batch as a whole."""
    if "json" not in exchange.headers.get("content-type", "").lower():
        raise unreadable_payload()
    try:
        body = pydantic_core.from_json(exchange.body)
    except ValueError:
        raise unreadable_payload() from None
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests:
        raise malformed("Invalid batch payload format.")
    if len(requests) > LARGEST:
        raise malformed(f"Number of batch request steps exceeds the maximum value of {LARGEST}.")
    parts = [_part(request) for request in requests]
    ids = [part.id for part in parts]
    if len(set(ids)) != len(ids):
        raise malformed("Request Id values must be unique within a batch.")
    _require_order(parts)
    return parts


async def answer(exchange: Exchange, parts: list[Part], serve: Serve) -> Answer:
    """The answers of all parts, in the order in which they were ready."""
    version = exchange.segments[0]
    ready: list[dict[str, Json]] = []
    statuses: dict[str, int] = {}

    async def run(part: Part) -> None:
        if any(statuses[earlier] >= 400 for earlier in part.depends_on):
            inner: Answer | None = GraphError(424, "FailedDependency", "Failed Dependency").answer(exchange)
        else:
            inner = await serve(_inner(exchange, part, version))
        if inner is None:
            inner = GraphError(504, "GatewayTimeout", "").answer(exchange)
        statuses[part.id] = inner.status
        ready.append(_response(part, inner))

    if any(part.depends_on for part in parts):
        for part in parts:
            await run(part)
    else:
        await asyncio.gather(*(run(part) for part in parts))
    return Answer(200, {"responses": ready})


def _part(request: Json) -> Part:
    if not isinstance(request, dict) or not all(isinstance(request.get(name), str) for name in ("id", "method", "url")):
        raise malformed("Invalid batch payload format: each request needs an id, a method and a url.")
    method, url = request["method"].upper(), request["url"]
    if method not in _METHODS:
        raise malformed(f"Invalid method '{request['method']}' in request '{request['id']}'.")
    if _ABSOLUTE.match(url):
        raise malformed(f"The url of request '{request['id']}' must be relative to the service root.")
    headers = request.get("headers") or {}
    depends_on = request.get("dependsOn") or []
    if not isinstance(headers, dict) or not isinstance(depends_on, list):
        raise malformed("Invalid batch payload format.")
    lower = {str(name).lower(): str(value) for name, value in headers.items()}
    body = request.get("body")
    if (body is not None or method in _DECLARED) and "content-type" not in lower:
        # The words of microsoft-graph-docs#6682.
        raise malformed(f"Write request id : {request['id']} does not contain Content-Type header or body.")
    return Part(request["id"], method, url, lower, body, tuple(map(str, depends_on)))


def _require_order(parts: list[Part]) -> None:
    """All parallel, or each after the one before it: nothing in between."""
    before: list[str] = []
    for part in parts:
        if unknown := [one for one in part.depends_on if one not in before]:
            raise malformed(f"Request '{part.id}' depends on '{unknown[0]}', which does not precede it.")
        before.append(part.id)
    if any(part.depends_on for part in parts):
        for earlier, part in pairwise(parts):
            if part.depends_on != (earlier.id,):
                raise malformed("Requests of a batch are either all independent or each depends on the one before.")


def _inner(exchange: Exchange, part: Part, version: str) -> Exchange:
    path, _, query = part.url.partition("?")
    headers = {name: exchange.headers[name] for name in _KEPT_HEADERS if name in exchange.headers}
    return Exchange(
        method=part.method,
        path="/" + "/".join([version, path.lstrip("/")]),
        query_string=query,
        headers=headers | dict(part.headers),
        body=b"" if part.body is None else pydantic_core.to_json(part.body),
        at=exchange.at,
        origin=exchange.origin,
    )


def _response(part: Part, inner: Answer) -> dict[str, Json]:
    body = inner.body
    if isinstance(body, bytes):
        body = body.decode()
    headers = {name: value for name, value in inner.headers.items() if name.lower() not in _NOT_REPEATED}
    return {"id": part.id, "status": inner.status, "headers": headers, "body": body}
