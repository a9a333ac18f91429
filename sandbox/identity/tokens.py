"""Access tokens for Microsoft Graph, id tokens and refresh tokens: making them, and reading our own again.

A Graph token is a version 1 token even from the version 2 endpoint. Its header carries a nonce that was hashed when the
signature was made, so nobody outside can verify it: to clients it is opaque, as Microsoft's is.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import uuid4

import jwt
import pydantic_core

from sandbox.clock import Clock
from sandbox.directory.rows import ServicePrincipal, User
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Json
from sandbox.graph.call import Actor
from sandbox.identity.signing import SigningKey, b64url, from_b64url

GRAPH_AUDIENCE = "https://graph.microsoft.com"
LIFETIME_SECONDS = 3599
REFRESH_LIFETIME_SECONDS = 90 * 24 * 3600
_DEFAULT_WID = "0997a1d0-0d1d-4acb-b408-d5ca73121e90"
_REMEMBERED = 4096

Claims = dict[str, Json]


class InvalidTokenError(Exception):
    """Not a token of this sandbox, or not a token at all."""


class ExpiredTokenError(Exception):
    """A token of ours whose time is over."""


class Tokens:
    """Issues and reads the tokens of one sandbox."""

    def __init__(self, key: SigningKey, clock: Clock) -> None:
        self.key = key
        self._clock = clock
        self._verified: dict[str, tuple[Actor, float]] = {}

    def for_app(self, tenant: Tenant, principal: ServicePrincipal, *, with_certificate: bool) -> str:
        """An app-only Graph token. Without consent it simply has no ``roles``."""
        claims = self._graph_claims(tenant, principal.id) | {
            "app_displayname": principal.display_name,
            "appid": principal.app_id,
            "appidacr": "2" if with_certificate else "1",
            "idtyp": "app",
            "sub": principal.id,
        }
        if principal.permissions:
            claims["roles"] = sorted(principal.permissions)
        return self._sign_for_graph(claims)

    def for_user(self, tenant: Tenant, user: User, client_id: str, scopes: str) -> str:
        """A delegated Graph token of a person."""
        claims = self._graph_claims(tenant, user.id) | {
            "acr": "1",
            "appid": client_id,
            "appidacr": "0",
            "idtyp": "user",
            "name": user.display_name,
            "scp": scopes,
            "sub": _pairwise(user.id, GRAPH_AUDIENCE),
            "unique_name": user.user_principal_name,
            "upn": user.user_principal_name,
        }
        return self._sign_for_graph(claims)

    def id_token(self, tenant: Tenant, user: User, client_id: str, issuer: str, nonce: str | None) -> str:
        """Who signed in, for the application that asked; verifiable with the published keys."""
        now = int(self._clock.now().timestamp())
        claims: Claims = {
            "aud": client_id,
            "iss": issuer,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "name": user.display_name,
            "oid": user.id,
            "preferred_username": user.user_principal_name,
            "rh": _random(),
            "sid": str(uuid4()),
            "sub": _pairwise(user.id, client_id),
            "tid": tenant.id,
            "uti": _random(),
            "ver": "2.0",
        }
        if nonce is not None:
            claims["nonce"] = nonce
        head = _json({"typ": "JWT", "alg": "RS256", "kid": self.key.id})
        return self._signed(head, head, claims)

    def refresh_token(
        self, tenant: Tenant, user: User, client_id: str, scopes: str, ends: datetime | None = None
    ) -> str:
        """An opaque text that only this sandbox reads; ``ends`` for sessions that are limited from the start."""
        now = self._clock.now()
        limit = ends.timestamp() if ends else now.timestamp() + REFRESH_LIFETIME_SECONDS
        claims = {
            "tid": tenant.id,
            "oid": user.id,
            "client": client_id,
            "scp": scopes,
            # Microseconds: a revocation in the same second must still come after.
            "since": now.isoformat(),
            "ends": limit,
        }
        return jwt.encode(claims, self.key.secret, algorithm="HS256")

    def read_refresh_token(self, token: str) -> Claims:
        """What we once wrote; whether it was revoked is for the caller to check.

        Raises ``InvalidTokenError`` or ``ExpiredTokenError``.
        """
        try:
            claims: Claims = jwt.decode(token, self.key.secret, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            raise InvalidTokenError from None
        if claims["ends"] <= self._clock.now().timestamp():
            raise ExpiredTokenError
        return claims

    def actor(self, token: str) -> Actor:
        """Whom a Graph token speaks for. Raises ``InvalidTokenError`` or ``ExpiredTokenError``."""
        remembered = self._verified.get(token)
        if remembered is None:
            remembered = self._verify(token)
            if len(self._verified) >= _REMEMBERED:
                self._verified.clear()
            self._verified[token] = remembered
        actor, expires = remembered
        if expires <= self._clock.now().timestamp():
            raise ExpiredTokenError
        return actor

    def _verify(self, token: str) -> tuple[Actor, float]:
        try:
            head_text, body_text, signature = token.split(".")
            head = pydantic_core.from_json(from_b64url(head_text))
            hashed = b64url(_json(head | {"nonce": _hashed(head["nonce"])}))
            if not self.key.verifies(f"{hashed}.{body_text}".encode(), from_b64url(signature)):
                raise InvalidTokenError
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
        return actor, float(claims["exp"])

    def _graph_claims(self, tenant: Tenant, object_id: str) -> Claims:
        now = int(self._clock.now().timestamp())
        issuer = f"https://sts.windows.net/{tenant.id}/"
        return {
            "aud": GRAPH_AUDIENCE,
            "iss": issuer,
            "iat": now,
            "nbf": now,
            # Five minutes more than is announced, as with Microsoft's tokens.
            "exp": now + LIFETIME_SECONDS + 301,
            "aio": _random(),
            "idp": issuer,
            "oid": object_id,
            "rh": _random(),
            "tenant_region_scope": "EU",
            "tid": tenant.id,
            "uti": _random(),
            "ver": "1.0",
            "wids": sorted(tenant.roles_of(object_id)) or [_DEFAULT_WID],
            "xms_tcdt": int(tenant.organization.created.timestamp()),
        }

    def _sign_for_graph(self, claims: Claims) -> str:
        nonce = _random()
        head = {"typ": "JWT", "nonce": nonce, "alg": "RS256", "x5t": self.key.id, "kid": self.key.id}
        return self._signed(_json(head), _json(head | {"nonce": _hashed(nonce)}), claims)

    def _signed(self, shown_head: bytes, signed_head: bytes, claims: Claims) -> str:
        body = b64url(_json(claims))
        signature = self.key.sign(f"{b64url(signed_head)}.{body}".encode())
        return f"{b64url(shown_head)}.{body}.{b64url(signature)}"


def _json(value: Json) -> bytes:
    return pydantic_core.to_json(value)


def _random() -> str:
    return b64url(uuid4().bytes)


def _hashed(nonce: str) -> str:
    return b64url(hashlib.sha256(nonce.encode()).digest())


def _pairwise(user_id: str, audience: str) -> str:
    return b64url(hashlib.sha256(f"{user_id}|{audience}".encode()).digest())
