"""What an application asks of the authorize endpoint, checked; mistakes are told on the page or to the application."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from sandbox.directory.directory import Directory
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Exchange
from sandbox.identity.clients import Client, Clients
from sandbox.identity.errors import (
    SignInError,
    bad_code_challenge,
    bad_code_challenge_method,
    code_challenge_missing,
    id_token_not_enabled,
    no_redirect_registered,
    parameter_missing,
    redirect_not_registered,
    unsupported_prompt,
    unsupported_response_mode,
    unsupported_response_type,
)
from sandbox.identity.replies import (
    RefusalToApplication,
    ReplyAddress,
    ResponseMode,
    is_registered,
    kind_of,
    with_parameters,
)
from sandbox.identity.scopes import AskedScopes, read_scopes
from sandbox.identity.second_factor import PORTALS
from sandbox.identity.tenant_names import resolve_tenant

_FIRST_PARTY_REDIRECTS = ("http://localhost", "http://127.0.0.1")
_PORTALS_REDIRECTS = ("https://portal.azure.com/signin/index/", "https://entra.microsoft.com/signin/index/")
_RESPONSE_TYPES = frozenset({frozenset({"code"}), frozenset({"id_token"}), frozenset({"code", "id_token"})})
_PROMPTS = frozenset({"", "none", "login", "consent", "select_account"})
_LONGEST_NUMBER = 10
_MODES = frozenset({"query", "fragment", "form_post"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizeRequest:
    """A request that can be served after a sign-in. ``tenant`` is None if any will do."""

    tenant: Tenant | None
    client: Client
    address: ReplyAddress
    response_types: frozenset[str]
    scope: str
    asked: AskedScopes
    prompt: str
    login_hint: str
    domain_hint: str
    max_age: timedelta | None
    """How long ago the person may have signed in, without doing so again."""
    nonce: str | None
    challenge: str | None
    challenge_method: str
    wants_client_info: bool

    def takes(self, signed_in_at: datetime, now: datetime) -> bool:
        """Whether a sign-in of then is recent enough."""
        return self.max_age is None or now - signed_in_at <= self.max_age

    def refused(self, refusal: SignInError) -> RefusalToApplication:
        """The refusal, on its way to the application."""
        return RefusalToApplication(refusal, self.address)

    def back_with(self, refusal: SignInError, exchange: Exchange) -> str:
        """The link by which a person takes the refusal to the application."""
        parameters = refusal.parameters(exchange)
        if self.address.state is not None:
            parameters["state"] = self.address.state
        return with_parameters(self.address.redirect_uri, parameters, fragment=self.address.mode == "fragment")


def read_authorize_request(
    parameters: dict[str, str], tenant_name: str, directory: Directory, clients: Clients, origin: str
) -> AuthorizeRequest:
    """Check what was asked.

    Raises ``SignInError`` for the page while it is not certain where answers may go, ``RefusalToApplication`` after.
    """
    tenant = resolve_tenant(directory, tenant_name)
    if not (client_id := parameters.get("client_id", "").lower()):
        raise parameter_missing("client_id")
    client = clients.registered(client_id, tenant, tenant_name)
    redirect_uri, platform = _redirect(parameters.get("redirect_uri"), client)
    types = frozenset(parameters.get("response_type", "").split())
    mode = parameters.get("response_mode") or ("fragment" if "id_token" in types else "query")
    known_mode = cast("ResponseMode", mode) if mode in _MODES else "query"
    address = ReplyAddress(redirect_uri, known_mode, parameters.get("state"))
    try:
        _check_response(types, mode, parameters, client)
        challenge, method = _challenge(parameters, platform)
        asked = read_scopes(
            _given(parameters, "scope"),
            application=client.display_name,
            directory=tenant.organization.display_name if tenant else tenant_name,
            origin=origin,
        )
        if (prompt := parameters.get("prompt", "")) not in _PROMPTS:
            raise unsupported_prompt(prompt)
    except SignInError as refusal:
        raise RefusalToApplication(refusal, address) from None
    return AuthorizeRequest(
        tenant=tenant,
        client=client,
        address=address,
        response_types=types,
        scope=parameters["scope"],
        asked=asked,
        prompt=prompt,
        login_hint=parameters.get("login_hint", ""),
        domain_hint=parameters.get("domain_hint", ""),
        max_age=_max_age(parameters.get("max_age", "")),
        nonce=parameters.get("nonce"),
        challenge=challenge,
        challenge_method=method,
        wants_client_info=parameters.get("client_info") == "1",
    )


def _redirect(asked: str | None, client: Client) -> tuple[str, Literal["web", "public", "spa"]]:
    application = client.application
    if application is None:
        registered = _PORTALS_REDIRECTS if client.id in PORTALS else _FIRST_PARTY_REDIRECTS
        if not asked or not is_registered(asked, registered):
            raise redirect_not_registered(asked or "", client.id)
        return asked, "public"
    known = (*application.redirect_uris, *application.public_redirect_uris, *application.spa_redirect_uris)
    if not known:
        raise no_redirect_registered()
    redirect_uri = asked or known[0]
    platform = kind_of(redirect_uri, application)
    if platform is None:
        raise redirect_not_registered(redirect_uri, client.id)
    return redirect_uri, platform


def _check_response(types: frozenset[str], mode: str, parameters: dict[str, str], client: Client) -> None:
    if not types:
        raise parameter_missing("response_type")
    if types not in _RESPONSE_TYPES:
        raise unsupported_response_type(parameters["response_type"])
    if "id_token" in types:
        if client.application is None or not client.application.issues_id_tokens:
            raise id_token_not_enabled()
        if mode == "query":
            raise unsupported_response_mode(mode)
        _given(parameters, "nonce")
    if mode not in _MODES:
        raise unsupported_response_mode(mode)


def _challenge(parameters: dict[str, str], platform: str) -> tuple[str | None, str]:
    """PKCE: both methods are taken, as Microsoft takes both; an application in the browser cannot do without."""
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method", "plain")
    if not challenge:
        if platform == "spa":
            raise code_challenge_missing()
        return None, method
    if method not in {"S256", "plain"}:
        raise bad_code_challenge_method()
    if not 43 <= len(challenge) <= 128:
        raise bad_code_challenge()
    return challenge, method


def _max_age(text: str) -> timedelta | None:
    return timedelta(seconds=int(text)) if text.isdecimal() and len(text) < _LONGEST_NUMBER else None


def _given(parameters: dict[str, str], name: str) -> str:
    if not (value := parameters.get(name)):
        raise parameter_missing(name)
    return value
