"""Access tokens for Microsoft Graph, id tokens and refresh tokens: making them, and reading our own again.

A Graph token is a version 1 token even from the version 2 endpoint. Its header carries a nonce that was hashed when the
signature was made, so clients cannot verify it: to clients it is opaque, as Microsoft's is. Tokens are dated five
minutes back, for clocks that are late.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from uuid import uuid4

import jwt
import pydantic_core

from sandbox.clock import Clock
from sandbox.directory.rows import ServicePrincipal
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Json
from sandbox.graph.call import Actor
from sandbox.identity.behaviour import SignInBehaviour
from sandbox.identity.clients import Client
from sandbox.identity.propagation import Propagation
from sandbox.identity.scopes import GRAPH_AUDIENCE
from sandbox.identity.sign_in import SignedIn
from sandbox.identity.signing import KeyRing, SigningKey, b64url, from_b64url

REFRESH_LIFETIME_SECONDS = 90 * 24 * 3600
_BACKDATED_SECONDS = 300
_ID_TOKEN_SECONDS = 3600
_DEFAULT_WID = "0997a1d0-0d1d-4acb-b408-d5ca73121e90"
_MEMBER_WID = "b79fbf4d-3ef9-4689-8143-76b194e85509"
_REMEMBERED = 4096

Claims = dict[str, Json]


class InvalidTokenError(Exception):
    """Not a token of this sandbox, or not a token at all."""


class WrongAudienceError(InvalidTokenError):
    """A token of ours for another API than Graph."""


class ExpiredTokenError(Exception):
    """A token of ours whose time is over."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A Graph token, and for how many seconds it is announced to live."""

    text: str
    lifetime: int


class Tokens:
    """Issues and reads the tokens of one sandbox."""

    def __init__(self, keys: KeyRing, clock: Clock, behaviour: SignInBehaviour, propagation: Propagation) -> None:
        self.keys = keys
        self._clock = clock
        self._behaviour = behaviour
        self._propagation = propagation
        self._verified: dict[str, tuple[Actor, float, Claims]] = {}

    def retire_keys(self) -> None:
        """Trust nothing any more that earlier keys signed."""
        self.keys.retire()
        self._verified.clear()

    def for_app(self, tenant: Tenant, principal: ServicePrincipal, client: Client) -> AccessToken:
        """An app-only Graph token. Without consent it simply has no ``roles``."""
        lifetime = self._behaviour.token_lifetime()
        claims = self._graph_claims(tenant, principal.id, lifetime) | {
            "aud": GRAPH_AUDIENCE,
            "app_displayname": principal.display_name,
            "appid": principal.app_id,
            "appidacr": client.acr,
            "idtyp": "app",
            "sub": principal.id,
            "wids": sorted(tenant.roles_of(principal.id)) or [_DEFAULT_WID],
        }
        if permissions := self._propagation.permissions(principal):
            claims["roles"] = sorted(permissions)
        return AccessToken(self._sign_for_graph(claims), lifetime)

    def for_api(self, tenant: Tenant, principal: ServicePrincipal, client: Client, resource: str) -> AccessToken:
        """An app-only token for an application's own API; verifiable with the published keys, unlike Graph's.

        Version 1, as for registrations that say nothing else (``requestedAccessTokenVersion`` null).
        """
        lifetime = self._behaviour.token_lifetime()
        claims = self._common_claims(tenant, principal.id, lifetime) | {
            "aud": resource,
            "appid": principal.app_id,
            "appidacr": client.acr,
            "idtyp": "app",
            "sub": principal.id,
        }
        key = self.keys.current
        head = _json({"typ": "JWT", "alg": "RS256", "x5t": key.id, "kid": key.id})
        return AccessToken(_signed(key, head, head, claims), lifetime)

    def for_user(self, signed_in: SignedIn, client: Client, scopes: str, audience: str) -> AccessToken:
        """A delegated Graph token of a person."""
        tenant, user = signed_in.tenant, signed_in.user
        lifetime = self._behaviour.token_lifetime()
        named = {"family_name": user.properties.get("surname"), "given_name": user.properties.get("givenName")}
        claims = self._graph_claims(tenant, user.id, lifetime) | {
            "aud": audience,
            "acct": 1 if user.is_guest else 0,
            "acr": "1",
            "amr": _methods(signed_in),
            "app_displayname": client.display_name,
            "appid": client.id,
            "appidacr": client.acr,
            **{name: value for name, value in named.items() if value},
            "idtyp": "user",
            "name": user.display_name,
            "scp": scopes,
            "sid": signed_in.session_id,
            "sub": _pairwise(user.id, GRAPH_AUDIENCE),
            "unique_name": user.user_principal_name,
            "upn": user.user_principal_name,
            "wids": sorted({*tenant.roles_of(user.id), _MEMBER_WID}),
            "xms_st": {"sub": _pairwise(user.id, client.id)},
        }
        return AccessToken(self._sign_for_graph(claims), lifetime)

    def id_token(
        self, signed_in: SignedIn, client: Client, issuer: str, nonce: str | None = None, code: str | None = None
    ) -> str:
        """Who signed in, for the application that asked; verifiable with the published keys.

        With ``code`` it vouches for the authorization code that is handed out together with it.
        """
        tenant, user = signed_in.tenant, signed_in.user
        now = int(self._clock.now().timestamp()) - _BACKDATED_SECONDS
        mail = user.properties.get("mail")
        claims: Claims = {
            "aud": client.id,
            "iss": issuer,
            "iat": now,
            "nbf": now,
            "exp": now + _BACKDATED_SECONDS + _ID_TOKEN_SECONDS,
            "aio": _random(),
            # Only where the registration lists it (MicrosoftDocs/azure-docs#15502), whatever max_age says.
            **({"auth_time": int(signed_in.at.timestamp())} if _lists(client, "auth_time") else {}),
            **({"c_hash": _half_hash(code)} if code else {}),
            **({"email": mail} if mail else {}),
            "name": user.display_name,
            **({"nonce": nonce} if nonce is not None else {}),
            "oid": user.id,
            "preferred_username": user.user_principal_name,
            "rh": _random(),
            # Only here: a token for Graph carries Graph's permissions (MicrosoftDocs/azure-docs#65368).
            **({"roles": sorted(roles)} if (roles := _app_roles(signed_in, client)) else {}),
            "sid": signed_in.session_id,
            "sub": _pairwise(user.id, client.id),
            "tid": tenant.id,
            "uti": _random(),
            "ver": "2.0",
        }
        key = self.keys.current
        head = _json({"typ": "JWT", "alg": "RS256", "kid": key.id})
        return _signed(key, head, head, claims)

    def refresh_token(self, signed_in: SignedIn, client_id: str, scopes: str) -> str:
        """An opaque text that only this sandbox reads; it lives no longer than the session that it stands for."""
        now = self._clock.now()
        limit = signed_in.ends.timestamp() if signed_in.ends else now.timestamp() + REFRESH_LIFETIME_SECONDS
        claims = {
            "tid": signed_in.tenant.id,
            "oid": signed_in.user.id,
            "client": client_id,
            "scp": scopes,
            # Microseconds: a revocation in the same second must still come after.
            "since": now.isoformat(),
            "ends": limit,
            "how": signed_in.method,
            "mfa": signed_in.second_factor,
            "sid": signed_in.session_id,
            "bound": signed_in.ends is not None,
        }
        return f"1.{jwt.encode(claims, self.keys.secret, algorithm='HS256')}"

    def read_refresh_token(self, token: str) -> Claims:
        """What we once wrote; whether it was revoked is for the caller to check.

        Raises ``InvalidTokenError`` or ``ExpiredTokenError``.
        """
        try:
            claims: Claims = jwt.decode(token.removeprefix("1."), self.keys.secret, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            raise InvalidTokenError from None
        if "ends" not in claims:
            raise InvalidTokenError
        if claims["ends"] <= self._clock.now().timestamp():
            raise ExpiredTokenError
        return claims

    def actor(self, token: str) -> Actor:
        """Whom a Graph token speaks for. Raises ``InvalidTokenError`` or ``ExpiredTokenError``."""
        return self._read(token)[0]

    def claims(self, token: str) -> Claims:
        """All that a Graph token says. Raises ``InvalidTokenError`` or ``ExpiredTokenError``."""
        return self._read(token)[2]

    def subject(self, user_id: str, client_id: str) -> str:
        """How a person is called towards one application, and towards no other."""
        return _pairwise(user_id, client_id)

    def _read(self, token: str) -> tuple[Actor, float, Claims]:
        remembered = self._verified.get(token)
        if remembered is None:
            remembered = self._verify(token)
            if len(self._verified) >= _REMEMBERED:
                self._verified.clear()
            self._verified[token] = remembered
        if remembered[1] <= self._clock.now().timestamp():
            raise ExpiredTokenError
        return remembered

    def _verify(self, token: str) -> tuple[Actor, float, Claims]:
        try:
            head_text, body_text, signature = token.split(".")
            head = pydantic_core.from_json(from_b64url(head_text))
            for_graph = "nonce" in head
            signed_head = b64url(_json(head | {"nonce": _hashed(head["nonce"])})) if for_graph else head_text
            key = self.keys.named(head["kid"])
            if key is None or not key.verifies(f"{signed_head}.{body_text}".encode(), from_b64url(signature)):
                raise InvalidTokenError
            if not for_graph:
                raise WrongAudienceError
            claims = pydantic_core.from_json(from_b64url(body_text))
        except (ValueError, TypeError, LookupError):
            raise InvalidTokenError from None
        granted = claims.get("roles", []) if claims["idtyp"] == "app" else claims["scp"].split()
        actor = Actor(
            kind="app" if claims["idtyp"] == "app" else "user",
            id=claims["oid"],
            app_id=claims["appid"],
            tenant_id=claims["tid"],
            permissions=frozenset(granted),
        )
        return actor, float(claims["exp"]), claims

    def _common_claims(self, tenant: Tenant, object_id: str, lifetime: int) -> Claims:
        now = int(self._clock.now().timestamp()) - _BACKDATED_SECONDS
        issuer = f"https://sts.windows.net/{tenant.id}/"
        return {
            "iss": issuer,
            "iat": now,
            "nbf": now,
            "exp": now + _BACKDATED_SECONDS + lifetime + 1,
            "aio": _random(),
            "idp": issuer,
            "oid": object_id,
            "rh": _random(),
            "tid": tenant.id,
            "uti": _random(),
            "ver": "1.0",
        }

    def _graph_claims(self, tenant: Tenant, object_id: str, lifetime: int) -> Claims:
        return self._common_claims(tenant, object_id, lifetime) | {
            "tenant_region_scope": "EU",
            "xms_tcdt": int(tenant.organization.created.timestamp()),
        }

    def _sign_for_graph(self, claims: Claims) -> str:
        key, nonce = self.keys.current, _random()
        head = {"typ": "JWT", "nonce": nonce, "alg": "RS256", "x5t": key.id, "kid": key.id}
        in_order = {name: claims[name] for name in ("aud", *(name for name in claims if name != "aud"))}
        return _signed(key, _json(head), _json(head | {"nonce": _hashed(nonce)}), in_order)


def client_info(signed_in: SignedIn) -> str:
    """The account's id in Microsoft's libraries, sent along when they ask for it."""
    return b64url(_json({"uid": signed_in.user.id, "utid": signed_in.tenant.id}))


def _app_roles(signed_in: SignedIn, client: Client) -> set[str]:
    # Looked up anew: the person's consent may just have brought the application into the tenant.
    principal = signed_in.tenant.service_principals.one("app", client.id)
    return signed_in.tenant.app_roles_of(signed_in.user.id, principal) if principal else set()


def _lists(client: Client, claim: str) -> bool:
    return client.application is not None and claim in client.application.optional_claims


def _methods(signed_in: SignedIn) -> list[str]:
    if signed_in.method == "passkey":
        return ["fido", "mfa"]
    return ["pwd", "mfa"] if signed_in.has_mfa else ["pwd"]


def _signed(key: SigningKey, shown_head: bytes, signed_head: bytes, claims: Claims) -> str:
    body = b64url(_json(claims))
    signature = key.sign(f"{b64url(signed_head)}.{body}".encode())
    return f"{b64url(shown_head)}.{body}.{b64url(signature)}"


def _json(value: Json) -> bytes:
    return pydantic_core.to_json(value)


def _random() -> str:
    return b64url(uuid4().bytes)


def _hashed(nonce: str) -> str:
    return b64url(hashlib.sha256(nonce.encode()).digest())


def _half_hash(code: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(code.encode()).digest()[:16]).decode().rstrip("=")


def _pairwise(user_id: str, audience: str) -> str:
    return b64url(hashlib.sha256(f"{user_id}|{audience}".encode()).digest())
