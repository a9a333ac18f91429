"""``POST /{tenant}/oauth2/v2.0/token``: one function a grant type."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sandbox.clock import Clock
from sandbox.directory.directory import Directory
from sandbox.directory.rows import Application, ServicePrincipal, User
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Answer, Exchange
from sandbox.graph.service_principals import MICROSOFT_GRAPH_APP_ID
from sandbox.identity import client_assertion, sign_in
from sandbox.identity.errors import (
    application_disabled,
    application_not_found,
    credential_missing,
    expired_secret,
    grant_revoked,
    invalid_scope,
    malformed_refresh_token,
    no_such_user,
    not_a_tenant,
    not_an_application,
    parameter_missing,
    password_must_change,
    refresh_token_expired,
    resource_not_found,
    scope_without_default,
    tenant_not_found,
    unsupported_grant,
    user_disabled,
    wrong_secret,
)
from sandbox.identity.tokens import GRAPH_AUDIENCE, LIFETIME_SECONDS, ExpiredTokenError, InvalidTokenError, Tokens

MULTI_TENANT_NAMES = frozenset({"common", "organizations"})
FIRST_PARTY_CLIENTS = frozenset({"04b07795-8ddb-461a-bbee-02f9e1bf7b46", "14d82eec-204b-4c2f-b7e8-296a70dab67e"})
"""Microsoft's own public clients (Azure CLI, Graph command line), present in every tenant."""

PROTOCOL_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})


@dataclass(slots=True)
class TokenRequest:
    """The form that was posted, and to which tenant (None: one of the multi-tenant names)."""

    exchange: Exchange
    tenant_name: str
    tenant: Tenant | None
    form: dict[str, str]

    def required(self, name: str) -> str:
        """A field of the form; AADSTS900144 if it is not there."""
        if not (value := self.form.get(name)):
            raise parameter_missing(name)
        return value

    @property
    def client_id(self) -> str:
        """The client id, from the form or from basic authentication."""
        basic_id, basic_secret = _basic(self.exchange)
        if basic_id:
            self.form.setdefault("client_id", basic_id)
            self.form.setdefault("client_secret", basic_secret)
        return self.required("client_id").lower()


class TokenEndpoint:
    """Gives tokens to applications and to people."""

    def __init__(self, directory: Directory, tokens: Tokens, clock: Clock) -> None:
        self._directory = directory
        self._tokens = tokens
        self._clock = clock

    def answer(self, exchange: Exchange, tenant_name: str) -> Answer:
        """Raises ``SignInError``."""
        named = resolve_tenant(self._directory, tenant_name)
        request = TokenRequest(exchange, tenant_name, named, exchange.form())
        grant = request.required("grant_type")
        grants = {
            "client_credentials": self._client_credentials,
            "password": self._password,
            "refresh_token": self._refresh_token,
        }
        if grant not in grants:
            raise unsupported_grant(grant)
        return grants[grant](request)

    def _client_credentials(self, request: TokenRequest) -> Answer:
        application, tenant, principal = self._confidential_client(request)
        _require_default_scope(request, tenant)
        with_certificate = self._prove(request, application, tenant)
        token = self._tokens.for_app(tenant, principal, with_certificate=with_certificate)
        body = {
            "token_type": "Bearer",
            "expires_in": LIFETIME_SECONDS,
            "ext_expires_in": LIFETIME_SECONDS,
            "access_token": token,
        }
        return Answer(200, body)

    def _password(self, request: TokenRequest) -> Answer:
        client_id = self._any_client(request)
        username, password = request.required("username"), request.required("password")
        signed_in = sign_in.with_password(self._directory, username, password, request.tenant)
        if signed_in.must_change_password:
            raise password_must_change()
        return Answer(200, self.session(signed_in, client_id, request.required("scope"), request.exchange))

    def _refresh_token(self, request: TokenRequest) -> Answer:
        client_id = self._any_client(request)
        try:
            claims = self._tokens.read_refresh_token(request.required("refresh_token"))
        except ExpiredTokenError:
            raise refresh_token_expired() from None
        except InvalidTokenError:
            raise malformed_refresh_token() from None
        tenant = self._directory.tenants.get(claims["tid"])
        if tenant is None or claims["client"] != client_id:
            raise malformed_refresh_token()
        user = self._still_welcome(tenant, claims["oid"], datetime.fromisoformat(claims["since"]))
        ends = datetime.fromtimestamp(claims["ends"], tz=self._clock.now().tzinfo)
        signed_in = sign_in.SignedIn(tenant, user, "password", ends, must_change_password=False)
        scope = request.form.get("scope") or claims["scp"]
        return Answer(200, self.session(signed_in, client_id, scope, request.exchange))

    def session(
        self, signed_in: sign_in.SignedIn, client_id: str, scope: str, exchange: Exchange, nonce: str | None = None
    ) -> dict[str, object]:
        """The tokens that a person's sign-in ends in; refresh and id token as the scopes ask."""
        tenant, user = signed_in.tenant, signed_in.user
        asked = scope.split()
        granted = " ".join(sorted({"User.Read", "openid", "profile", "email"}))
        body: dict[str, object] = {
            "token_type": "Bearer",
            "scope": granted,
            "expires_in": LIFETIME_SECONDS,
            "ext_expires_in": LIFETIME_SECONDS,
            "access_token": self._tokens.for_user(tenant, user, client_id, granted),
        }
        if "offline_access" in asked:
            body["refresh_token"] = self._tokens.refresh_token(tenant, user, client_id, scope, signed_in.ends)
        if "openid" in asked:
            issuer = f"{exchange.origin}/{tenant.id}/v2.0"
            body["id_token"] = self._tokens.id_token(tenant, user, client_id, issuer, nonce)
        return body

    def _still_welcome(self, tenant: Tenant, user_id: str, since: datetime) -> User:
        user = tenant.users.get(user_id)
        if user is None:
            raise no_such_user(tenant.organization.display_name)
        if not user.enabled:
            raise user_disabled()
        if since <= user.sessions_valid_from:
            raise grant_revoked()
        return user

    def _confidential_client(self, request: TokenRequest) -> tuple[Application, Tenant, ServicePrincipal]:
        client_id = request.client_id
        if client_id == str(UUID(int=0)):
            raise not_an_application(client_id)
        application = self._directory.applications.get(client_id)
        tenant = request.tenant or self._directory.tenants.get(application.home_tenant if application else "")
        if tenant is None:
            raise application_not_found(client_id, request.tenant_name)
        principal = tenant.service_principals.one("app", client_id)
        if application is None or principal is None:
            raise application_not_found(client_id, tenant.organization.display_name)
        if not principal.enabled:
            raise application_disabled(client_id)
        return application, tenant, principal

    def _prove(self, request: TokenRequest, application: Application, tenant: Tenant) -> bool:
        """Whether it was a certificate that proved the application; it was a secret otherwise."""
        if assertion := request.form.get("client_assertion"):
            names = frozenset({tenant.id, request.tenant_name})
            client_assertion.check_assertion(assertion, application, names, request.exchange, self._clock)
            return True
        if not (secret := request.form.get("client_secret")):
            raise credential_missing()
        known = next((held for held in application.secrets if held.digest.matches(secret)), None)
        if known is None:
            raise wrong_secret(application.id)
        if known.expires is not None and known.expires <= self._clock.now():
            raise expired_secret(application.id)
        return False

    def _any_client(self, request: TokenRequest) -> str:
        """A public client of Microsoft's, or an application of the tenant that proves itself."""
        if request.client_id in FIRST_PARTY_CLIENTS:
            return request.client_id
        application, tenant, _ = self._confidential_client(request)
        self._prove(request, application, tenant)
        return application.id


def resolve_tenant(directory: Directory, name: str, error: str = "invalid_request") -> Tenant | None:
    """The tenant that a path names; None for the multi-tenant names. Raises ``SignInError`` for anything else."""
    if name.lower() in MULTI_TENANT_NAMES:
        return None
    if tenant := directory.tenant(name):
        return tenant
    if "." not in name and not _is_guid(name):
        raise not_a_tenant(name)
    raise tenant_not_found(name, error)


def _require_default_scope(request: TokenRequest, tenant: Tenant) -> None:
    scope = request.required("scope")
    if " " in scope.strip():
        raise invalid_scope(scope)
    resource, separator, rest = scope.strip().rpartition("/.default")
    if not separator or rest:
        raise scope_without_default(scope)
    if resource.rstrip("/") not in {GRAPH_AUDIENCE, MICROSOFT_GRAPH_APP_ID, request.exchange.origin}:
        raise resource_not_found(resource, tenant.organization.display_name)


def _basic(exchange: Exchange) -> tuple[str, str]:
    kind, _, value = exchange.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(value).decode().partition(":")
    except ValueError:
        return "", ""
    return client_id, secret


def _is_guid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
