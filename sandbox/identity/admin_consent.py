"""Administrator's consent: an application gets what its manifest lists, for the whole tenant, or nothing.

The answer proves nothing: it is a plain redirect that can be forged, as at Microsoft.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.directory.roles import GLOBAL_ADMINISTRATOR, role_named
from sandbox.directory.rows import Application
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Answer
from sandbox.identity.authorization import CONSENTING_ROLES
from sandbox.identity.client_errors import application_not_found
from sandbox.identity.clients import Client
from sandbox.identity.consents import grant_permissions, grant_scopes, principal_of
from sandbox.identity.errors import no_redirect_registered, parameter_missing, redirect_not_registered
from sandbox.identity.permission_texts import described
from sandbox.identity.person_errors import administrator_declined, administrator_needed, user_in_other_tenant
from sandbox.identity.replies import kind_of, redirect, with_parameters
from sandbox.identity.scopes import AskedScopes, read_scopes
from sandbox.identity.sign_in import SignedIn
from sandbox.identity.tenant_names import resolve_tenant
from sandbox.identity.visit import Services, Visit

_MAY_GRANT_APP_PERMISSIONS = frozenset({GLOBAL_ADMINISTRATOR, role_named("Privileged Role Administrator")})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """What is to be granted to which application, and where the browser goes then. ``scope`` None: version 1."""

    tenant: Tenant | None
    client: Client
    application: Application
    redirect_uri: str
    state: str | None
    scope: str | None
    asked: AskedScopes | None

    @property
    def permissions(self) -> frozenset[str]:
        """The app permissions: all of the manifest's, or none if single scopes were asked for."""
        everything = self.asked is None or self.asked.everything
        return self.application.required_permissions if everything else frozenset()

    @property
    def scopes(self) -> frozenset[str]:
        """The delegated permissions."""
        if self.asked is None or self.asked.everything:
            return self.application.required_scopes
        return self.asked.names


def read_consent_request(
    parameters: dict[str, str], tenant_name: str, services: Services, origin: str
) -> ConsentRequest:
    """Check what was asked; ``scope`` tells version 2 from version 1. Raises ``SignInError``, for the page."""
    tenant = resolve_tenant(services.directory, tenant_name)
    if not (client_id := parameters.get("client_id", "").lower()):
        raise parameter_missing("client_id")
    client = services.clients.registered(client_id, tenant, tenant_name)
    application = client.application
    if application is None:
        raise application_not_found(client_id, tenant_name)
    registered = (*application.redirect_uris, *application.public_redirect_uris, *application.spa_redirect_uris)
    if not registered:
        raise no_redirect_registered()
    redirect_uri = parameters.get("redirect_uri") or registered[0]
    if kind_of(redirect_uri, application) is None:
        raise redirect_not_registered(redirect_uri, client_id)
    scope = parameters.get("scope")
    asked = None
    if scope is not None:
        name = tenant.organization.display_name if tenant else tenant_name
        asked = read_scopes(scope, application=client.display_name, directory=name, origin=origin)
    return ConsentRequest(
        tenant=tenant,
        client=client,
        application=application,
        redirect_uri=redirect_uri,
        state=parameters.get("state"),
        scope=scope,
        asked=asked,
    )


def ask(visit: Visit, request: ConsentRequest, signed_in: SignedIn) -> Answer:
    """Show what is to be granted, to a person who may grant it. Raises ``SignInError``."""
    if request.tenant is not None and request.tenant.id != signed_in.tenant.id:
        name = request.tenant.organization.display_name
        raise user_in_other_tenant(signed_in.tenant.id, name, request.client.id, request.client.display_name)
    if not _may_grant(request, signed_in):
        return visit.refuse(administrator_needed(request.client.id, visit.title))
    return visit.show(
        "consent.html",
        tenant=signed_in.tenant.organization.display_name,
        permissions=described(request.permissions | request.scopes),
        for_everybody=True,
        administrator=True,
    )


def accept(visit: Visit, request: ConsentRequest, signed_in: SignedIn) -> Answer:
    """The administrator agreed: make the service principal, grant, and send the browser back."""
    if not _may_grant(request, signed_in) or request.tenant not in {None, signed_in.tenant}:
        return ask(visit, request, signed_in)
    tenant = signed_in.tenant
    principal = principal_of(tenant, request.application, visit.services.clock.now())
    grant_permissions(tenant, principal, request.permissions)
    if request.scopes:
        grant_scopes(tenant, principal, request.scopes)
    state = {"state": request.state} if request.state is not None else {}
    if request.scope is None:
        parameters = {"tenant": tenant.id, **state, "admin_consent": "True"}
    else:
        parameters = {"admin_consent": "True", "tenant": tenant.id, "scope": request.scope, **state}
    return visit.keeping_session(redirect(with_parameters(request.redirect_uri, parameters)))


def decline(visit: Visit, request: ConsentRequest) -> Answer:
    """The administrator did not agree. The older form names neither reason nor tenant; the newer says so and "True"."""
    state = {"state": request.state} if request.state is not None else {}
    if request.scope is None:
        # As observed (MicrosoftDocs/azure-docs#41053); the reference has permission_denied, and no state.
        parameters = {"error": "access_denied", "error_subcode": "cancel", **state}
    else:
        parameters = {
            "error": "consent_required",
            "error_description": administrator_declined().description(visit.exchange),
            "admin_consent": "True",
            **state,
        }
    return visit.keeping_session(redirect(with_parameters(request.redirect_uri, parameters)))


def _may_grant(request: ConsentRequest, signed_in: SignedIn) -> bool:
    allowed = _MAY_GRANT_APP_PERMISSIONS if request.permissions else CONSENTING_ROLES
    return not allowed.isdisjoint(signed_in.tenant.roles_of(signed_in.user.id))
