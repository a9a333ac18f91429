"""Failures on demand: which requests go wrong, how, and how often.

The most valuable one is ``drop: "after"``: the request takes its full effect and then the connection closes without an
answer, so that the caller cannot know.
"""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sandbox.exchange import Answer, Exchange
from sandbox.graph.errors import GraphError, unauthenticated
from sandbox.identity.errors import SignInError


class FaultSpecification(BaseModel):
    """What ``POST /sandbox/faults`` takes. All conditions must hold; what is left out does not matter.

    ``path`` is what follows ``/v1.0``, or the whole path of a sign-in request, without the query. In it ``*`` stands
    for one segment and ``**`` for any number of them; ``*`` alone is every path; a text that begins with ``^`` is a
    regular expression. The first ``skip`` requests that fit pass unharmed, the next ``count`` (None: all) do not; with
    a ``rate`` each of those goes wrong with that probability, drawn from ``seed``. With ``until_new_token`` only
    requests with the very token of the first one struck go wrong: it has become invalid in the middle of its life.

    With ``delay`` (seconds) the request waits before it takes effect, and takes effect even if the caller has gone
    meanwhile. Taking the fault away ends the wait. ``drop`` closes the connection without an answer, before or after
    the effect. A ``status`` is answered without effect, with Microsoft's body for it unless ``code`` or ``message`` say
    otherwise; 202 has no body.

    What is answered, with or without ``status``, can be damaged on the way: its ``body`` malformed (half of the JSON),
    html (a proxy's page), truncated (the connection closes half-way) or empty; its ``content_type``; and with ``drip``
    it comes in small pieces over so many seconds, or until the fault is taken away. An answer that has no body stays as
    it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str = "*"
    path: str = "*"
    tenant: str | None = None
    app: str | None = None
    body_contains: str | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    skip: Annotated[int, Field(ge=0)] = 0
    rate: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: int = 1
    until_new_token: bool = False
    status: Literal[202] | Annotated[int, Field(ge=400, le=599)] | None = None
    code: str | None = None
    message: str | None = None
    retry_after: Annotated[int, Field(ge=0)] | None = None
    delay: Annotated[float, Field(ge=0, le=600)] | None = None
    drop: Literal["before", "after"] | None = None
    body: Literal["malformed", "html", "truncated", "empty"] | None = None
    content_type: Annotated[str, Field(pattern=r"^[\x20-\x7e]+$")] | None = None
    drip: Annotated[float, Field(gt=0, le=600)] | None = None

    @model_validator(mode="after")
    def _does_something(self) -> FaultSpecification:
        damage = (self.body, self.content_type, self.drip)
        if all(way is None for way in (self.status, self.delay, self.drop, *damage)):
            raise ValueError("a fault needs a status, a delay, a drop, a body, a content_type or a drip")
        if self.drop is not None and any(way is not None for way in (self.status, *damage)):
            raise ValueError("a fault either answers or drops the connection")
        try:
            re.compile(_pattern(self.path))
        except re.error as error:
            raise ValueError(f"the path is not a regular expression: {error}") from None
        return self

    @property
    def lets_through(self) -> bool:
        """Whether the request takes effect all the same."""
        return self.status is None and self.drop != "before"

    @cached_property
    def _path_pattern(self) -> re.Pattern[str]:
        return re.compile(_pattern(self.path), re.IGNORECASE)

    def fits(self, exchange: Exchange, path: str, tenants: set[str], app_id: str | None) -> bool:
        """Whether this request is meant."""
        return (
            self.method.upper() in {"*", exchange.method}
            and (self.tenant is None or self.tenant.lower() in tenants)
            and (self.app is None or self.app.lower() == (app_id or "").lower())
            and self._path_pattern.search(path) is not None
            and (self.body_contains is None or self.body_contains.encode() in exchange.body)
        )


def _pattern(path: str) -> str:
    if path.startswith("^"):
        return path
    if path == "*":
        return ""
    parts = {"**": ".*", "*": "[^/]*"}
    text = "".join(parts.get(part, re.escape(part)) for part in re.split(r"(\*\*?)", path))
    return f"^{text}/?$"


@dataclass(slots=True)
class Fault:
    """A fault that is set up, and what it has done so far."""

    id: str
    specification: FaultSpecification
    seen: int = 0
    hits: int = 0
    _token: str | None = field(default=None, repr=False)
    _random: random.Random = field(init=False, repr=False)
    _taken_away: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.specification.seed)

    def strikes(self, exchange: Exchange) -> bool:
        """Count a fitting request; whether it is one of those that go wrong."""
        self.seen += 1
        wanted = self.specification
        if self.seen <= wanted.skip or (wanted.count is not None and self.hits >= wanted.count):
            return False
        token = exchange.headers.get("authorization")
        if wanted.until_new_token and self._token not in {None, token}:
            return False
        if wanted.rate is not None and self._random.random() >= wanted.rate:
            return False
        self._token = token
        self.hits += 1
        return True

    async def hold_up(self, seconds: float) -> None:
        """Wait so long, or until the fault is taken away."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._taken_away.wait(), seconds)

    def take_away(self) -> None:
        """Let go of the requests that it holds up."""
        self._taken_away.set()

    def shown(self) -> dict[str, object]:
        return {"id": self.id, "seen": self.seen, "hits": self.hits} | self.specification.model_dump()


class Faults:
    """All faults of a sandbox, in the order in which they were set up; one request meets at most one."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    def add(self, specification: FaultSpecification) -> str:
        """Set up a fault; its id."""
        fault = Fault(str(uuid4()), specification)
        self._faults[fault.id] = fault
        return fault.id

    def remove(self, fault_id: str | None = None) -> None:
        """Take one fault away, or all; one that is gone already is no error."""
        for each in list(self._faults) if fault_id is None else [fault_id]:
            if fault := self._faults.pop(each, None):
                fault.take_away()

    def shown(self) -> list[dict[str, object]]:
        return [fault.shown() for fault in self._faults.values()]

    def meet(self, exchange: Exchange, path: str, tenants: set[str], app_id: str | None) -> Fault | None:
        """The fault that this request runs into, if any."""
        for fault in self._faults.values():
            if fault.specification.fits(exchange, path, tenants, app_id) and fault.strikes(exchange):
                return fault
        return None


_GRAPH: dict[int, tuple[str, str]] = {
    400: ("Request_BadRequest", "One or more property values specified are invalid."),
    401: ("InvalidAuthenticationToken", "Lifetime validation failed, the token is expired."),
    403: ("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
    404: ("Request_ResourceNotFound", "Resource '{resource}' does not exist or one of its queried reference-property "
          "objects are not present."),
    409: ("Directory_ConcurrencyViolation", "Error due to concurrent requests being made to the tenant. "
          "Please wait briefly and retry."),
    424: ("FailedDependency", "Failed Dependency"),
    429: ("TooManyRequests", "Please retry again later."),
    500: ("UnknownError", ""),
    502: ("BadGateway", "Bad gateway."),
    503: ("ServiceUnavailable", "Service is unavailable."),
    504: ("GatewayTimeout", "The server did not respond in time."),
}  # fmt: skip
_SIGN_IN: dict[int, tuple[int, str, str]] = {
    401: (7000215, "invalid_client", "Invalid client secret provided."),
    429: (
        90055,
        "temporarily_unavailable",
        "The server is terminating operation due to encountering too many requests.",
    ),
}
_SIGN_IN_DEFAULT = (90033, "temporarily_unavailable", "A transient error has occurred. Please try again.")


def graph_answer(fault: FaultSpecification, exchange: Exchange) -> Answer:
    """The fault's status with the body that Graph has for it."""
    if fault.status == 202:
        return Answer(202)
    status = fault.status or 500
    code, message = _GRAPH.get(status, ("UnknownError", ""))
    message = message.format(resource=exchange.segments[-1])
    refusal = GraphError(status, fault.code or code, message if fault.message is None else fault.message)
    if status == 401:
        refusal.headers = unauthenticated(message).headers
    return _with_retry_after(refusal.answer(exchange), fault)


def sign_in_answer(fault: FaultSpecification, exchange: Exchange) -> Answer:
    """The fault's status with the sign-in service's envelope; ``code`` is an AADSTS number or an OAuth error."""
    status = fault.status or 503
    number, error, text = _SIGN_IN.get(status, _SIGN_IN_DEFAULT)
    general: int | None = None
    if fault.code and (numbers := fault.code.split()) and all(part.isdecimal() for part in numbers):
        *before, number = map(int, numbers)
        general = next(iter(before), None)
    elif fault.code:
        error = fault.code
    refusal = SignInError(number, error, text if fault.message is None else fault.message, status, general)
    return _with_retry_after(refusal.answer(exchange), fault)


_PROXY_PAGE = b"""<!DOCTYPE html>
<html><head><title>%(status)d</title></head>
<body><h1>%(status)d</h1><p>The gateway could not process the request.</p></body></html>
"""


def damaged(answer: Answer, fault: FaultSpecification) -> Answer:
    """The answer as it was tampered with on the way; cutting it off and dripping are left to its delivery."""
    if answer.body is not None and answer.status != 204:
        if fault.body == "malformed":
            payload = answer.payload()
            answer.body = payload[: len(payload) // 2]
        elif fault.body == "html":
            answer.body = _PROXY_PAGE % {b"status": answer.status}
            answer.headers["Content-Type"] = "text/html; charset=utf-8"
        elif fault.body == "empty":
            answer.body = b""
    if fault.content_type is not None:
        answer.headers["Content-Type"] = fault.content_type
    return answer


def _with_retry_after(answer: Answer, fault: FaultSpecification) -> Answer:
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = str(fault.retry_after)
    return answer
