"""How the sandbox behaves: its lag, its throttling, its chance, and where it knowingly differs from Microsoft's."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandbox import lag as lags
from sandbox.app import Sandbox
from sandbox.control.requests import LagBody, RandomSeedBody, ThrottleBody
from sandbox.exchange import Json
from sandbox.lag import Lag, LagError
from sandbox.throttling import ThrottleError, parse_throttle

_DIVERGENCES = Path(__file__).parent.parent / "data" / "divergences.yaml"


class BehaviourControl:
    """The routes ``/sandbox/lag``, ``throttle``, ``random-seed`` and ``divergences``."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def read_lag(self, _: Request) -> Json:
        replication = self._sandbox.replication
        return {
            "default": _spans(replication.default),
            "tenants": {self._slug(tenant): _spans(lag) for tenant, lag in replication.settings().items()},
        }

    async def set_lag(self, request: Request) -> Json:
        """In all tenants, or in one."""
        body = LagBody.model_validate_json(await request.body())
        self._sandbox.replication.set(_lag(body), self._tenant_id(body.tenant))
        return await self.read_lag(request)

    async def read_throttle(self, _: Request) -> Json:
        throttling = self._sandbox.throttling
        return {
            "default": throttling.default,
            "tenants": {self._slug(tenant): factor for tenant, factor in throttling.settings().items()},
        }

    async def set_throttle(self, request: Request) -> Json:
        """In all tenants, or in one; whatever was used up before is forgotten."""
        body = ThrottleBody.model_validate_json(await request.body())
        try:
            factor = parse_throttle(str(body.throttle))
        except ThrottleError as error:
            raise HTTPException(400, f"throttle: {error}") from None
        self._sandbox.throttling.set(factor, self._tenant_id(body.tenant))
        return await self.read_throttle(request)

    async def read_random_seed(self, _: Request) -> Json:
        return {"seed": self._sandbox.replication.seed}

    async def set_random_seed(self, request: Request) -> Json:
        """Draw replicas and delays anew from this number; what is under way arrives at once."""
        self._sandbox.replication.reseed(RandomSeedBody.model_validate_json(await request.body()).seed)
        return await self.read_random_seed(request)

    async def list_divergences(self, _: Request) -> Json:
        return _divergences()

    def _tenant_id(self, name: str | None) -> str | None:
        if name is None:
            return None
        if (tenant := self._sandbox.directory.tenant_or_slug(name)) is None:
            raise HTTPException(404, f"there is no tenant {name}")
        return tenant.id

    def _slug(self, tenant_id: str) -> str:
        tenant = self._sandbox.directory.tenants.get(tenant_id)
        return tenant.organization.slug if tenant else tenant_id


def _lag(body: LagBody) -> Lag | None:
    if isinstance(body.lag, Lag):
        lag: Lag | None = body.lag
    else:
        try:
            lag = lags.named(str(body.lag))
        except LagError as error:
            raise HTTPException(400, f"lag: {error}") from None
    return lag.scaled(body.scale) if lag else None


def _spans(lag: Lag | None) -> Json:
    return lag.spans() if lag else None


@cache
def _divergences() -> Json:
    return yaml.safe_load(_DIVERGENCES.read_bytes())
