"""What a person's sign-in to an application ends in: the consent that is missing, then a code."""

from __future__ import annotations

from sandbox.directory.roles import GLOBAL_ADMINISTRATOR, role_named
from sandbox.exchange import Answer
from sandbox.identity.authorize_request import AuthorizeRequest
from sandbox.identity.codes import CodeGrant
from sandbox.identity.consents import grant_scopes, granted_scopes, principal_of
from sandbox.identity.permission_texts import described
from sandbox.identity.person_errors import administrator_needed, consent_declined, consent_missing, user_in_other_tenant
from sandbox.identity.scopes import delegated_scopes
from sandbox.identity.sign_in import SignedIn
from sandbox.identity.tokens import client_info
from sandbox.identity.visit import Visit

CONSENTING_ROLES = frozenset(
    filter(
        None,
        [
            GLOBAL_ADMINISTRATOR,
            role_named("Privileged Role Administrator"),
            role_named("Cloud Application Administrator"),
            role_named("Application Administrator"),
        ],
    )
)


def authorize(visit: Visit, request: AuthorizeRequest, signed_in: SignedIn) -> Answer:
    """Ask for the consent that is missing, or answer the application. Raises ``RefusalToApplication``."""
    client = request.client
    if client.application is None:
        return _answer(visit, request, signed_in)
    wanted = _wanted(request)
    principal = signed_in.tenant.service_principals.one("app", client.id)
    missing = wanted - granted_scopes(signed_in.tenant, principal, signed_in.user.id)
    if not missing and not (request.prompt == "consent" and not visit.silent):
        return _answer(visit, request, signed_in)
    if visit.silent:
        raise request.refused(consent_missing(client.id, client.display_name, error="consent_required"))
    if not _may_consent(signed_in, missing):
        refusal = administrator_needed(client.id, client.display_name)
        return visit.refuse(refusal, back=request.back_with(refusal, visit.exchange))
    return visit.show(
        "consent.html",
        tenant=signed_in.tenant.organization.display_name,
        permissions=described(wanted),
        for_everybody=False,
        administrator=_is_administrator(signed_in),
    )


def accept(visit: Visit, request: AuthorizeRequest, signed_in: SignedIn) -> Answer:
    """The person agreed: grant what was shown, and answer."""
    application, wanted = request.client.application, _wanted(request)
    if application is None or not _may_consent(signed_in, wanted):
        raise request.refused(consent_declined())
    principal = principal_of(signed_in.tenant, application, visit.services.clock.now())
    everybody = _is_administrator(signed_in) and visit.form.get("everybody") == "yes"
    grant_scopes(signed_in.tenant, principal, wanted, None if everybody else signed_in.user.id)
    return _answer(visit, request, signed_in)


def in_right_tenant(request: AuthorizeRequest, signed_in: SignedIn) -> None:
    """Raises ``SignInError`` if the application asked for people of another tenant."""
    if request.tenant is not None and request.tenant.id != signed_in.tenant.id:
        raise user_in_other_tenant(
            signed_in.tenant.id,
            request.tenant.organization.display_name,
            request.client.id,
            request.client.display_name,
        )


def _wanted(request: AuthorizeRequest) -> frozenset[str]:
    application = request.client.application
    if request.asked.everything and application is not None:
        return request.asked.protocol | application.required_scopes
    return request.asked.names


def _may_consent(signed_in: SignedIn, missing: frozenset[str]) -> bool:
    if _is_administrator(signed_in):
        return True
    harmless = all(not delegated_scopes()[name].admin for name in missing)
    return harmless and signed_in.tenant.organization.sign_in.users_may_consent


def _is_administrator(signed_in: SignedIn) -> bool:
    return not CONSENTING_ROLES.isdisjoint(signed_in.tenant.roles_of(signed_in.user.id))


def _answer(visit: Visit, request: AuthorizeRequest, signed_in: SignedIn) -> Answer:
    services = visit.services
    parameters: dict[str, str] = {}
    if "code" in request.response_types:
        parameters["code"] = services.codes.issue(
            CodeGrant(
                signed_in=signed_in,
                client_id=request.client.id,
                redirect_uri=request.address.redirect_uri,
                scope=request.scope,
                nonce=request.nonce,
                challenge=request.challenge,
                challenge_method=request.challenge_method,
                expires=services.codes.expiry(),
            )
        )
    if "id_token" in request.response_types:
        issuer = f"{visit.exchange.origin}/{signed_in.tenant.id}/v2.0"
        parameters["id_token"] = services.tokens.id_token(
            signed_in, request.client, issuer, request.nonce, parameters.get("code")
        )
    if request.wants_client_info:
        parameters["client_info"] = client_info(signed_in)
    return visit.keeping_session(request.address.answer(parameters | {"session_state": signed_in.session_id}))
