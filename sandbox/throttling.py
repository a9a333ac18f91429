"""Throttling as the directory does it: calls cost resource units, which drain from buckets at a fixed rate.

The limits are those that Microsoft publishes for identity and access, per app and tenant by the tenant's size, per
app, and per tenant; sign-in methods and audit logs have a much lower one of their own. Every answer says what it cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.clock import Clock
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Exchange
from sandbox.graph.errors import GraphError
from sandbox.lag import Api

REAL = 1.0
"""Microsoft's own limits; any other factor makes them smaller or larger."""

_WARNS_ABOVE = 0.8
_PERCENTAGE_ENDS_AT = 1.8
_EXPENSIVE = {
    ("GET", "users"): 2,
    ("GET", "applications"): 2,
    ("GET", "subscribedskus"): 3,
    ("GET", "groups/*/members"): 3,
    ("GET", "groups/*/transitivemembers"): 5,
    ("POST", "directoryobjects/getbyids"): 5,
}


class ThrottleError(ValueError):
    """That is no way to throttle; the sentence says what would be."""


def parse_throttle(text: str) -> float | None:
    """``off`` (None), ``real``, or a factor: ``0.01`` is a hundredth of the limits. Raises ``ThrottleError``."""
    if text in {"off", "real"}:
        return REAL if text == "real" else None
    try:
        factor = float(text)
    except ValueError:
        factor = 0
    if not 0 < factor < math.inf:
        raise ThrottleError(f"{text!r} is not a throttle: use off, real, or a factor for the real limits, such as 0.01")
    return factor


@dataclass(frozen=True, slots=True)
class Limit:
    """So much in so many seconds. ``scope`` and ``information`` are what a refusal says; None: it says nothing."""

    key: str
    capacity: float
    seconds: float
    cost: float = 1
    scope: str | None = None
    information: str = "ResourceUnitLimitExceeded"


@dataclass(slots=True)
class _Bucket:
    """What was used and what was asked for (refusals too), draining evenly."""

    used: float = 0.0
    asked: float = 0.0
    at: float = 0.0

    def drain(self, limit: Limit, now: float) -> None:
        drained = max(0.0, now - self.at) * limit.capacity / limit.seconds
        self.used = max(0.0, self.used - drained)
        self.asked = min(max(self.used, self.asked - drained), limit.capacity * _PERCENTAGE_ENDS_AT)
        self.at = now

    def share(self, limit: Limit) -> float:
        """How much of the limit is asked for: 1 is all of it."""
        return min(self.asked / limit.capacity, _PERCENTAGE_ENDS_AT)


class Throttling:
    """All buckets of a sandbox. ``default`` is the factor of tenants that have none of their own; None: off."""

    def __init__(self, clock: Clock, default: float | None = None) -> None:
        self._clock = clock
        self.default = default
        self._of_tenants: dict[str, float | None] = {}
        self._buckets: dict[str, _Bucket] = {}

    def set(self, factor: float | None, tenant_id: str | None = None) -> None:
        """Throttle by the published limits times a factor, in one tenant or in all; every bucket is empty again."""
        self._buckets.clear()
        if tenant_id is not None:
            self._of_tenants[tenant_id] = factor
            return
        self.default = factor
        self._of_tenants.clear()

    def factor_of(self, tenant_id: str) -> float | None:
        """The factor for a tenant; None: it is not throttled."""
        return self._of_tenants.get(tenant_id, self.default)

    def settings(self) -> dict[str, float | None]:
        """The tenants that have a factor of their own."""
        return dict(self._of_tenants)

    def admit(self, exchange: Exchange, segments: list[str], app_id: str, tenant: Tenant) -> None:
        """Count a call, and note on the exchange what its answer has to say of it. Raises ``GraphError`` 429."""
        cost = cost_of(exchange.method, segments, exchange.query())
        exchange.answer_headers["x-ms-resource-unit"] = str(cost)
        if (factor := self.factor_of(tenant.id)) is None:
            return
        now = self._clock.now().timestamp()
        fullest = 0.0
        taken: list[tuple[_Bucket, float]] = []
        exhausted: tuple[_Bucket, Limit] | None = None
        for limit in _limits(exchange.method, segments, app_id, tenant, cost, factor):
            bucket = self._buckets.setdefault(limit.key, _Bucket(at=now))
            bucket.drain(limit, now)
            bucket.asked += limit.cost
            taken.append((bucket, limit.cost))
            if exhausted is None and bucket.used + limit.cost > limit.capacity:
                exhausted = (bucket, limit)
            if limit.scope is not None:
                fullest = max(fullest, bucket.share(limit))
        if fullest > _WARNS_ABOVE:
            exchange.answer_headers["x-ms-throttle-limit-percentage"] = f"{fullest:.2f}"
        if exhausted is not None:
            raise _refusal(*exhausted, tenant)
        for bucket, used in taken:
            bucket.used += used


def cost_of(method: str, segments: list[str], query: dict[str, str]) -> int:
    """Resource units: reads of collections cost more, a selection or a small page less, an expansion more."""
    pattern = "/".join(segment.lower() if place != 1 else "*" for place, segment in enumerate(segments))
    plain = "/".join(segments).lower()
    cost = _EXPENSIVE.get((method, pattern), _EXPENSIVE.get((method, plain), 1))
    if method != "GET":
        return cost
    top = query.get("$top", "")
    cost += ("$expand" in query) - ("$select" in query) - (top.isdecimal() and int(top) < 20)
    return max(cost, 1)


def _limits(method: str, segments: list[str], app_id: str, tenant: Tenant, cost: int, factor: float) -> Iterator[Limit]:
    pair = f"{app_id}/{tenant.id}"
    if Api.of(method, segments) in {Api.METHODS, Api.AUDIT}:
        # Identity and access reports: what is refused here names no scope, and no time to wait.
        yield Limit(f"reports/{pair}", max(1, 5 * factor), 10)
        yield Limit(f"reports/{app_id}", max(1, 122 * factor), 10)
        return
    if [segment.lower() for segment in segments[:2]] == ["identity", "conditionalaccess"]:
        yield Limit(f"conditionalAccess/{pair}", max(1, factor), 1)
    size = len(tenant.users)
    by_size = 3_500 if size < 50 else 5_000 if size <= 500 else 8_000
    for scope, capacity, seconds in (
        (f"Tenant_Application/ReadWrite/{pair}", by_size, 10),
        (f"Application/ReadWrite/{app_id}", 150_000, 20),
    ):
        yield Limit(scope, max(5, capacity * factor), seconds, cost, scope)
    if method == "GET":
        return
    for scope, capacity, seconds in (
        (f"Tenant_Application/Write/{pair}", 3_000, 150),
        (f"Application/Write/{app_id}", 35_000, 300),
        (f"Tenant/Write/{tenant.id}", 18_000, 300),
    ):
        yield Limit(scope, max(1, capacity * factor), seconds, 1, scope, "WriteLimitExceeded")


def _refusal(bucket: _Bucket, limit: Limit, tenant: Tenant) -> GraphError:
    """The reports' words and want of a ``Retry-After`` as in Remove-StaleGuests#5 and measured by graph2otel; the
    directory's as in AADAppAudit#9, where the tenant was large."""
    if limit.key.startswith("reports/"):
        return GraphError(429, "UnknownError", "Too Many Requests")
    wait = (bucket.used + limit.cost - limit.capacity) * limit.seconds / limit.capacity
    headers = {"Retry-After": str(max(1, math.ceil(wait)))}
    if limit.scope is not None:
        headers |= {"x-ms-throttle-scope": limit.scope, "x-ms-throttle-information": limit.information}
    size = "small" if len(tenant.users) < 50 else "medium" if len(tenant.users) <= 500 else "large"
    message = (
        f"Too many requests from Identifier:{tenant.id} under category:aadgraph.app.tenant_{size}. "
        "Please try again later."
    )
    return GraphError(429, "TooManyRequests", message, headers=headers, names_request=False)
