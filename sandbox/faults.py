"""Failures on demand: which requests go wrong, how, and how often.

The most valuable one is ``drop: "after"``: the request takes its full effect and then the connection closes without an
answer, so that the caller cannot know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sandbox.exchange import Answer, Exchange
from sandbox.graph.errors import GraphError
from sandbox.identity.errors import SignInError


class FaultSpecification(BaseModel):
    """What ``POST /sandbox/faults`` takes. All conditions must hold; what is left out does not matter.

    ``path`` is what follows ``/v1.0``, or the whole path of a sign-in request, without the query. In it ``*`` stands
    for one segment and ``**`` for any number of them; ``*`` alone is every path; a text that begins with ``^`` is a
    regular expression. The first ``skip`` requests that fit pass unharmed, the next ``count`` (None: all) do not.

    With ``delay`` (seconds) the request waits before it takes effect, and takes effect even if the caller has gone
    meanwhile. ``drop`` closes the connection without an answer, before or after the effect. A ``status`` is answered
    without effect, with Microsoft's body for it unless ``code`` or ``message`` say otherwise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str = "*"
    path: str = "*"
    tenant: str | None = None
    app: str | None = None
    body_contains: str | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    skip: Annotated[int, Field(ge=0)] = 0
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    code: str | None = None
    message: str | None = None
    retry_after: Annotated[int, Field(ge=0)] | None = None
    delay: Annotated[float, Field(ge=0, le=600)] | None = None
    drop: Literal["before", "after"] | None = None

    @model_validator(mode="after")
    def _does_something(self) -> FaultSpecification:
        if self.status is None and self.delay is None and self.drop is None:
            raise ValueError("a fault needs a status, a delay or a drop")
        if self.status is not None and self.drop is not None:
            raise ValueError("a fault either answers with a status or drops the connection")
        try:
            re.compile(_pattern(self.path))
        except re.error as error:
            raise ValueError(f"the path is no regular expression: {error}") from None
        return self

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

    def strikes(self) -> bool:
        """Count a fitting request; whether it is one of those that go wrong."""
        self.seen += 1
        count = self.specification.count
        if self.seen <= self.specification.skip or (count is not None and self.hits >= count):
            return False
        self.hits += 1
        return True

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
        if fault_id is None:
            self._faults.clear()
        else:
            self._faults.pop(fault_id, None)

    def shown(self) -> list[dict[str, object]]:
        return [fault.shown() for fault in self._faults.values()]

    def meet(self, exchange: Exchange, path: str, tenants: set[str], app_id: str | None) -> Fault | None:
        """The fault that this request runs into, if any."""
        for fault in self._faults.values():
            if fault.specification.fits(exchange, path, tenants, app_id) and fault.strikes():
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
    status = fault.status or 500
    code, message = _GRAPH.get(status, ("UnknownError", ""))
    message = message.format(resource=exchange.segments[-1])
    refusal = GraphError(status, fault.code or code, message if fault.message is None else fault.message)
    return _with_retry_after(refusal.answer(exchange), fault)


def sign_in_answer(fault: FaultSpecification, exchange: Exchange) -> Answer:
    """The fault's status with the sign-in service's envelope; ``code`` is an AADSTS number or an OAuth error."""
    status = fault.status or 503
    number, error, text = _SIGN_IN.get(status, _SIGN_IN_DEFAULT)
    if fault.code and fault.code.isdecimal():
        number = int(fault.code)
    elif fault.code:
        error = fault.code
    refusal = SignInError(number, error, text if fault.message is None else fault.message, status)
    return _with_retry_after(refusal.answer(exchange), fault)


def _with_retry_after(answer: Answer, fault: FaultSpecification) -> Answer:
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = str(fault.retry_after)
    return answer
