"""``POST /{tenant}/oauth2/v2.0/token``: one function a grant type."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sandbox.clock import Clock
from sandbox.directory.directory import Directory
from sandbox.directory.rows import User
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Answer, Exchange
from sandbox.graph.app_roles import MICROSOFT_GRAPH_APP_ID
from sandbox.identity import demands, sign_in
from sandbox.identity.client_errors import blocked_by_conditional_access, client_is_public, origin_missing
from sandbox.identity.clients import Client, Clients
from sandbox.identity.codes import CodeGrant, Codes, check_verifier
from sandbox.identity.consents import granted_scopes
from sandbox.identity.errors import (
    invalid_scope,
    malformed_request,
    resource_not_found,
    scope_without_default,
    unsupported_grant,
)
from sandbox.identity.person_errors import (
    code_expired,
    code_for_another_address,
    code_for_another_tenant,
    consent_missing,
    grant_revoked,
    invalid_grant,
    no_such_user,
    password_must_change,
    user_disabled,
)
from sandbox.identity.replies import kind_of
from sandbox.identity.scopes import GRAPH_AUDIENCE, PROTOCOL_SCOPES, AskedScopes, read_scopes
from sandbox.identity.sign_in import SignedIn
from sandbox.identity.tenant_names import resolve_tenant
from sandbox.identity.token_request import TokenRequest
from sandbox.identity.tokens import ExpiredTokenError, InvalidTokenError, Tokens, client_info

_FIRST_PARTY_SCOPES = frozenset({"Directory.AccessAsUser.All", "User.Read", "openid", "profile", "email"})


class TokenEndpoint:
    """Gives tokens to applications and to people."""

    def __init__(self, directory: Directory, tokens: Tokens, clients: Clients, codes: Codes, clock: Clock) -> None:
        self._directory = directory
        self._tokens = tokens
        self._clients = clients
        self._codes = codes
        self._clock = clock

    def answer(self, exchange: Exchange, tenant_name: str) -> Answer:
        """Raises ``SignInError``."""
        named = resolve_tenant(self._directory, tenant_name)
        request = TokenRequest(exchange, tenant_name, named, exchange.form())
        grant = request.required("grant_type")
        grants = {
            "authorization_code": self._authorization_code,
            "client_credentials": self._client_credentials,
            "password": self._password,
            "refresh_token": self._refresh_token,
        }
        if grant not in grants:
            raise unsupported_grant(grant)
        return grants[grant](request)

    def _client_credentials(self, request: TokenRequest) -> Answer:
        client, tenant = self._clients.installed(request)
        resource = _resource(request, tenant)
        client = self._clients.proven(client, request, tenant)
        if client.id in tenant.organization.sign_in.blocked_applications:
            raise blocked_by_conditional_access()
        assert client.principal is not None, "an installed application has one"  # noqa: S101
        token = (
            self._tokens.for_app(tenant, client.principal, client)
            if resource is None
            else self._tokens.for_api(tenant, client.principal, client, resource)
        )
        body = {
            "token_type": "Bearer",
            "expires_in": token.lifetime,
            "ext_expires_in": token.lifetime,
            "access_token": token.text,
        }
        return Answer(200, body)

    def _password(self, request: TokenRequest) -> Answer:
        client = self._any_client(request, request.tenant)
        username, password = request.required("username"), request.required("password")
        now = self._clock.now()
        signed_in = sign_in.with_password(
            self._directory,
            username,
            password,
            now,
            request.tenant,
            demand=lambda signed_in: _require_no_page(signed_in, client.id),
        )
        return self._session_answer(request, signed_in, client, request.required("scope"))

    def _authorization_code(self, request: TokenRequest) -> Answer:
        client_id, code = request.client_id, request.required("code")
        grant = self._codes.look_at(code)
        if grant.client_id != client_id:
            raise invalid_grant()
        if request.tenant is not None and request.tenant.id != grant.signed_in.tenant.id:
            raise code_for_another_tenant()
        if (redirect_uri := request.required("redirect_uri")) != grant.redirect_uri:
            raise code_for_another_address(redirect_uri, grant.redirect_uri)
        client = self._redeeming_client(request, grant)
        check_verifier(grant, request.form.get("code_verifier"))
        held = grant.signed_in
        user = self._still_welcome(held.tenant, held.user.id, held.at)
        scope = _narrowed(request.form.get("scope"), grant.scope)
        self._codes.use_up(code)
        return self._session_answer(request, replace(held, user=user), client, scope, grant.nonce)

    def _redeeming_client(self, request: TokenRequest, grant: CodeGrant) -> Client:
        """Who redeems, proven as the kind of redirect address demands."""
        tenant = grant.signed_in.tenant
        client = self._clients.registered(grant.client_id, tenant, tenant.id)
        application = client.application
        platform = kind_of(grant.redirect_uri, application) if application else "public"
        if platform == "public":
            if request.shows_credential:
                raise client_is_public()
            return client
        if platform == "spa":
            if "origin" not in request.exchange.headers:
                raise origin_missing()
            return client
        return self._clients.proven(client, request, tenant)

    def _refresh_token(self, request: TokenRequest) -> Answer:
        client_id = request.client_id
        try:
            claims = self._tokens.read_refresh_token(request.required("refresh_token"))
        except ExpiredTokenError:
            raise code_expired() from None
        except InvalidTokenError:
            raise malformed_request() from None
        tenant = self._directory.tenants.get(claims["tid"])
        if tenant is None or claims["client"] != client_id:
            raise malformed_request()
        client = self._any_client(request, tenant)
        signed_in = SignedIn(
            tenant=tenant,
            user=self._still_welcome(tenant, claims["oid"], datetime.fromisoformat(claims["since"])),
            method=claims["how"],
            at=self._clock.now(),
            ends=datetime.fromtimestamp(claims["ends"], tz=self._clock.now().tzinfo) if claims["bound"] else None,
            second_factor=claims["mfa"],
            session_id=claims["sid"],
        )
        demands.meet(signed_in, client.id)
        scope = request.form.get("scope") or claims["scp"]
        if "offline_access" not in scope.split():
            scope = f"{scope} offline_access"
        return self._session_answer(request, signed_in, client, scope)

    def _session_answer(
        self, request: TokenRequest, signed_in: SignedIn, client: Client, scope: str, nonce: str | None = None
    ) -> Answer:
        body = self.session(signed_in, client, scope, request.exchange, nonce)
        if request.form.get("client_info") == "1":
            body["client_info"] = client_info(signed_in)
        return Answer(200, body)

    def session(
        self, signed_in: SignedIn, client: Client, scope: str, exchange: Exchange, nonce: str | None = None
    ) -> dict[str, object]:
        """The tokens that a person's sign-in ends in; refresh and id token as the scopes ask.

        Raises ``SignInError`` for scopes without consent.
        """
        tenant = signed_in.tenant
        asked = read_scopes(
            scope,
            application=client.display_name,
            directory=tenant.organization.display_name,
            origin=exchange.origin,
        )
        granted = _granted(signed_in, client, asked)
        token = self._tokens.for_user(signed_in, client, _in_token(granted), asked.audience)
        body: dict[str, object] = {
            "token_type": "Bearer",
            "scope": asked.shown(granted),
            "expires_in": token.lifetime,
            "ext_expires_in": token.lifetime,
            "access_token": token.text,
        }
        if "offline_access" in asked.protocol:
            body["refresh_token"] = self._tokens.refresh_token(signed_in, client.id, scope)
        if "openid" in asked.protocol:
            issuer = f"{exchange.origin}/{tenant.id}/v2.0"
            body["id_token"] = self._tokens.id_token(signed_in, client, issuer, nonce)
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

    def _any_client(self, request: TokenRequest, tenant: Tenant | None) -> Client:
        """A public client, or an application that proves itself."""
        client = self._clients.registered(request.client_id, tenant, request.tenant_name)
        application = client.application
        is_public = application is not None and (application.public_redirect_uris or application.spa_redirect_uris)
        if is_public and not request.shows_credential:
            return client
        return self._clients.proven(client, request, tenant)


def _granted(signed_in: SignedIn, client: Client, asked: AskedScopes) -> frozenset[str]:
    """What the token may say. Raises ``SignInError`` if something was asked for that is not consented to."""
    if client.application is None:
        return _FIRST_PARTY_SCOPES
    granted = granted_scopes(signed_in.tenant, client.principal, signed_in.user.id)
    if asked.graph - granted or (asked.everything and not granted - PROTOCOL_SCOPES):
        raise consent_missing(client.id, client.display_name)
    return granted


def _in_token(granted: frozenset[str]) -> str:
    return " ".join(sorted(granted - {"offline_access"}))


def _narrowed(asked: str | None, held: str) -> str:
    """The scopes at redemption: those asked for now, with the protocol's words as they were asked for at first."""
    if not asked:
        return held
    kept = [word for word in held.split() if word in PROTOCOL_SCOPES and word not in asked.split()]
    return " ".join([asked, *kept])


def _require_no_page(signed_in: SignedIn, client_id: str) -> None:
    """Without a page only a password can be asked for. Raises ``SignInError``."""
    if signed_in.must_change_password:
        raise password_must_change()
    demands.meet(signed_in, client_id)


def _resource(request: TokenRequest, tenant: Tenant) -> str | None:
    """The API whose token is wanted, as the token names it; None for Graph. Raises ``SignInError``."""
    scope = request.required("scope")
    if " " in scope.strip():
        raise invalid_scope(scope)
    resource, separator, rest = scope.strip().rpartition("/.default")
    if not separator or rest:
        raise scope_without_default(scope)
    if resource.rstrip("/") in {GRAPH_AUDIENCE, MICROSOFT_GRAPH_APP_ID, request.exchange.origin}:
        return None
    if tenant.service_principals.one("app", resource.lower().removeprefix("api://")) is None:
        raise resource_not_found(resource, tenant.organization.display_name)
    return resource
