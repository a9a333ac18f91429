"""App registrations as their owners change them: secrets new or expired, addresses, manifests, foreign issuers."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandbox.app import Sandbox
from sandbox.clock import ticks
from sandbox.control.tenants import tenant_of
from sandbox.directory.digest import Digest
from sandbox.directory.rows import Application, ClientSecret, FederatedCredential
from sandbox.exchange import Json


def _public_key(pem: str) -> str:
    try:
        load_pem_public_key(pem.encode())
    except ValueError:
        raise ValueError("not a public key in PEM form") from None
    return pem


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class FederatedCredentialBody(_Body):
    """Whose tokens the application may show; ``public_keys`` is what the issuer publishes."""

    name: str
    issuer: str
    subject: str
    audience: str = "api://AzureADTokenExchange"
    public_keys: tuple[Annotated[str, AfterValidator(_public_key)], ...]


class RegistrationBody(_Body):
    """What is left out stays as it is; lists replace those that were there."""

    name: str | None = None
    redirect_uris: tuple[str, ...] | None = None
    public_redirect_uris: tuple[str, ...] | None = None
    spa_redirect_uris: tuple[str, ...] | None = None
    single_tenant: bool | None = None
    issues_id_tokens: bool | None = None
    optional_claims: frozenset[Literal["auth_time"]] | None = None
    required_permissions: frozenset[str] | None = None
    required_scopes: frozenset[str] | None = None
    federated_credentials: tuple[FederatedCredentialBody, ...] | None = None


class NewRegistrationBody(RegistrationBody):
    """An application without consent; ``home`` names its tenant."""

    home: str
    client_id: Annotated[str, AfterValidator(lambda text: str(UUID(text)))] | None = None


class SecretBody(_Body):
    """A new secret: this one, or one that is made up; ``lifetime`` in seconds, negative: over already."""

    value: Annotated[str, Field(min_length=4)] | None = None
    lifetime: float | None = None


class ExpireBody(_Body):
    """Which secrets are over now: those that begin so, or all."""

    hint: str = ""


class RegistrationControl:
    """The routes under ``/sandbox/applications``. An application is named by client id or display name."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def list_all(self, _: Request) -> Json:
        return [_shown(application) for application in self._sandbox.directory.applications]

    async def show(self, request: Request) -> Json:
        return _shown(self._application(request))

    async def register(self, request: Request) -> Json:
        """Make a registration, without a service principal anywhere."""
        body = NewRegistrationBody.model_validate_json(await request.body())
        home = self._sandbox.directory.tenant_or_slug(body.home)
        if home is None:
            raise HTTPException(404, f"there is no tenant {body.home}")
        made = Application(id=body.client_id or str(uuid4()), display_name=body.name or "", home_tenant=home.id)
        return self._put(_changed(made, body))

    async def change(self, request: Request) -> Json:
        body = RegistrationBody.model_validate_json(await request.body())
        return self._put(_changed(self._application(request), body))

    async def add_secret(self, request: Request) -> Json:
        """Add a secret; its value is in this answer and nowhere else."""
        body = SecretBody.model_validate_json(await request.body() or b"{}")
        application, now = self._application(request), self._sandbox.clock.now()
        value = body.value or f"sandbox-only-{secrets.token_urlsafe(24)}"
        expires = now + timedelta(seconds=body.lifetime) if body.lifetime is not None else None
        secret = ClientSecret(digest=Digest.of(value), hint=value[:3], created=now, expires=expires)
        return self._put(replace(application, secrets=(*application.secrets, secret))) | {"secret": value}

    async def expire_secrets(self, request: Request) -> Json:
        """Let secrets be over from now on."""
        body = ExpireBody.model_validate_json(await request.body() or b"{}")
        application, now = self._application(request), self._sandbox.clock.now()
        held = tuple(
            replace(secret, expires=now) if secret.hint.startswith(body.hint) else secret
            for secret in application.secrets
        )
        return self._put(replace(application, secrets=held))

    async def uninstall(self, request: Request) -> Json:
        """Take an application out of one tenant, with all that was granted to it there. Idempotent."""
        tenant, application = tenant_of(self._sandbox, request), self._application(request)
        principal = tenant.service_principals.one("app", application.id)
        if principal is not None:
            for grant in tenant.delegated_grants:
                if grant.client_id == principal.id:
                    tenant.delegated_grants.remove(grant.id)
            for held in tenant.role_assignments.find("principal", principal.id):
                tenant.take_role(held.id)
            tenant.service_principals.remove(principal.id)
        return {}

    def _application(self, request: Request) -> Application:
        key = request.path_params["app"].lower()
        for application in self._sandbox.directory.applications:
            if key in {application.id, application.display_name.lower()}:
                return application
        raise HTTPException(404, f"there is no application {key}")

    def _put(self, application: Application) -> dict[str, Json]:
        self._sandbox.directory.applications.put(application)
        return _shown(application)


def _changed(application: Application, body: RegistrationBody) -> Application:
    changes = body.model_dump(exclude_none=True, exclude={"home", "client_id"})
    if "name" in changes:
        changes["display_name"] = changes.pop("name")
    if body.federated_credentials is not None:
        changes["federated_credentials"] = tuple(
            FederatedCredential(**credential.model_dump()) for credential in body.federated_credentials
        )
    return replace(application, **changes)


def _shown(application: Application) -> dict[str, Json]:
    return {
        "client_id": application.id,
        "name": application.display_name,
        "home": application.home_tenant,
        "secrets": [
            {"hint": secret.hint, "expires": ticks(secret.expires) if secret.expires else None}
            for secret in application.secrets
        ],
        "certificates": len(application.certificates),
        "federated_credentials": [
            {"name": held.name, "issuer": held.issuer, "subject": held.subject, "audience": held.audience}
            for held in application.federated_credentials
        ],
        "redirect_uris": application.redirect_uris,
        "public_redirect_uris": application.public_redirect_uris,
        "spa_redirect_uris": application.spa_redirect_uris,
        "single_tenant": application.single_tenant,
        "issues_id_tokens": application.issues_id_tokens,
        "optional_claims": sorted(application.optional_claims),
        "required_permissions": sorted(application.required_permissions),
        "required_scopes": sorted(application.required_scopes),
    }
