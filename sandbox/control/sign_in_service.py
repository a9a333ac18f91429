"""The sign-in service's own switches: its settings, its keys, and what each tenant demands of those who sign in."""

from __future__ import annotations

from dataclasses import asdict, replace

from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandbox.app import Sandbox
from sandbox.control.tenants import tenant_of
from sandbox.directory.rows import SignInPolicy
from sandbox.exchange import Json
from sandbox.identity.behaviour import SignInSettings
from sandbox.identity.second_factor import code_now


class SignInPolicyBody(BaseModel):
    """What is left out stays as it is; ``blocked_applications`` (client ids) replaces the list that was there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    require_mfa: bool | None = None
    require_phishing_resistant: bool | None = None
    mandatory_mfa: bool | None = None
    block_people: bool | None = None
    blocked_applications: frozenset[str] | None = None
    users_may_consent: bool | None = None


class SignInServiceControl:
    """The routes ``/sandbox/sign-in-service``, ``/sandbox/keys`` and ``/sandbox/tenants/{tenant}/sign-in-policy``."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def read(self, _: Request) -> Json:
        return self._sandbox.sign_in_behaviour.settings.model_dump()

    async def change(self, request: Request) -> Json:
        """Change some settings; random lifetimes begin their sequence anew."""
        behaviour = self._sandbox.sign_in_behaviour
        asked = SignInSettings.model_validate_json(await request.body())
        behaviour.set(behaviour.settings.model_copy(update=asked.model_dump(exclude_unset=True)))
        return behaviour.settings.model_dump()

    async def read_keys(self, _: Request) -> Json:
        ring = self._sandbox.tokens.keys
        return {"current": ring.current.id, "published": [key.id for key in ring.published]}

    async def rotate_keys(self, request: Request) -> Json:
        """Sign with a new key from now on; tokens of the old ones stay good."""
        self._sandbox.tokens.keys.rotate()
        return await self.read_keys(request)

    async def retire_keys(self, request: Request) -> Json:
        """Publish the current key alone: what others signed is refused."""
        self._sandbox.tokens.retire_keys()
        return await self.read_keys(request)

    async def read_policy(self, request: Request) -> Json:
        policy = tenant_of(self._sandbox, request).organization.sign_in
        return asdict(policy) | {"blocked_applications": sorted(policy.blocked_applications)}

    async def change_policy(self, request: Request) -> Json:
        tenant = tenant_of(self._sandbox, request)
        body = SignInPolicyBody.model_validate_json(await request.body())
        organization = tenant.organization
        policy: SignInPolicy = replace(organization.sign_in, **body.model_dump(exclude_none=True))
        tenant.organizations.put(replace(organization, sign_in=policy))
        return await self.read_policy(request)

    async def read_code(self, request: Request) -> Json:
        """What a person's simulated phone shows now."""
        user = tenant_of(self._sandbox, request).user(request.path_params["user"])
        if user is None:
            raise HTTPException(404, f"there is no user {request.path_params['user']}")
        return {"code": code_now(self._sandbox.tokens.keys, user, self._sandbox.clock.now())}
