"""Which application speaks, and how it proves that: by secret, certificate, another issuer's token, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sandbox.clock import Clock
from sandbox.directory.directory import Directory
from sandbox.directory.rows import Application, ClientSecret, ServicePrincipal
from sandbox.directory.tenant import Tenant
from sandbox.identity.behaviour import SignInBehaviour
from sandbox.identity.client_assertion import check_assertion
from sandbox.identity.client_errors import (
    application_disabled,
    application_not_found,
    credential_missing,
    expired_secret,
    not_an_application,
    principal_missing,
    single_tenant_only,
    wrong_secret,
)
from sandbox.identity.federated_assertion import check_federated, is_foreign
from sandbox.identity.second_factor import PORTALS
from sandbox.identity.token_request import TokenRequest

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
_FIRST_PARTY = {
    AZURE_CLI: "Microsoft Azure CLI",
    "14d82eec-204b-4c2f-b7e8-296a70dab67e": "Microsoft Graph Command Line Tools",
} | PORTALS
"""Microsoft's own clients, present in every tenant."""

Proof = Literal["none", "secret", "certificate", "federated"]


@dataclass(frozen=True, slots=True)
class Client:
    """An application that asks for something. ``application`` and ``principal`` are None for Microsoft's own."""

    id: str
    display_name: str
    application: Application | None = None
    principal: ServicePrincipal | None = None
    proof: Proof = "none"

    @property
    def acr(self) -> str:
        """How it proved itself, as ``appidacr`` says it."""
        return {"none": "0", "secret": "1"}.get(self.proof, "2")


def first_party(client_id: str) -> Client | None:
    """One of Microsoft's own clients."""
    name = _FIRST_PARTY.get(client_id.lower())
    return Client(client_id.lower(), name) if name else None


class Clients:
    """Finds applications and has them prove themselves."""

    def __init__(self, directory: Directory, clock: Clock, behaviour: SignInBehaviour) -> None:
        self._directory = directory
        self._clock = clock
        self._behaviour = behaviour

    def registered(self, client_id: str, tenant: Tenant | None, tenant_name: str) -> Client:
        """The application that a person is to sign in to; it need not be known in the person's tenant yet.

        Raises ``SignInError`` if it cannot be used from there.
        """
        if own := first_party(client_id):
            return own
        application = self._directory.applications.get(client_id)
        name = tenant.organization.display_name if tenant else tenant_name
        if application is None:
            raise _unknown(client_id, name)
        if application.single_tenant and (tenant is None or tenant.id != application.home_tenant):
            if tenant is None:
                raise single_tenant_only(client_id, application.display_name)
            raise application_not_found(client_id, name)
        principal = tenant.service_principals.one("app", client_id) if tenant else None
        if principal is not None and not principal.enabled:
            raise application_disabled(client_id)
        return Client(client_id, application.display_name, application, principal)

    def confidential(self, request: TokenRequest) -> tuple[Client, Tenant]:
        """The application that asks for itself, proven, in a tenant that has it. Raises ``SignInError``."""
        client, tenant = self.installed(request)
        return self.proven(client, request, tenant), tenant

    def installed(self, request: TokenRequest) -> tuple[Client, Tenant]:
        """The application that asks, not yet proven; its home tenant if the path names none. Raises ``SignInError``."""
        client_id = request.client_id
        application = self._directory.applications.get(client_id)
        tenant = request.tenant or self._directory.tenants.get(application.home_tenant if application else "")
        if tenant is None:
            raise _unknown(client_id, request.tenant_name)
        principal = tenant.service_principals.one("app", client_id)
        if application is None or (application.single_tenant and application.home_tenant != tenant.id):
            raise _unknown(client_id, tenant.organization.display_name)
        if principal is None:
            raise principal_missing(client_id, tenant.id)
        if not principal.enabled:
            raise application_disabled(client_id)
        return Client(client_id, application.display_name, application, principal), tenant

    def proven(self, client: Client, request: TokenRequest, tenant: Tenant | None) -> Client:
        """The same client with its proof. Raises ``SignInError`` if it has none or a bad one."""
        application = client.application
        if application is None:
            return client
        proof: Proof
        if assertion := request.form.get("client_assertion"):
            if is_foreign(assertion, application):
                check_federated(assertion, application, self._clock)
                proof = "federated"
            else:
                names = frozenset({request.tenant_name, *([tenant.id] if tenant else [])})
                check_assertion(assertion, application, names, request.exchange, self._clock)
                proof = "certificate"
        else:
            self._check_secret(application, client.principal, request.form.get("client_secret"))
            proof = "secret"
        return Client(client.id, client.display_name, application, client.principal, proof)

    def _check_secret(self, application: Application, principal: ServicePrincipal | None, secret: str | None) -> None:
        if not secret:
            raise credential_missing()
        held = (*application.secrets, *(principal.secrets if principal else ()))
        known = next((one for one in held if one.digest.matches(secret)), None)
        if known is None or self._is_too_new(known):
            raise wrong_secret(application.id)
        if known.expires is not None and known.expires <= self._clock.now():
            raise expired_secret(application.id)

    def _is_too_new(self, secret: ClientSecret) -> bool:
        refused = timedelta(seconds=self._behaviour.settings.new_secret_refused)
        return secret.created is not None and self._clock.now() < secret.created + refused


def _unknown(client_id: str, directory: str) -> Exception:
    if client_id == str(UUID(int=0)):
        return not_an_application(client_id)
    return application_not_found(client_id, directory)
