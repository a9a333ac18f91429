"""``/oidc/userinfo``: the id token's content once more, for the bearer of an access token."""

from __future__ import annotations

from sandbox.directory.directory import Directory
from sandbox.exchange import Answer, Exchange, Json
from sandbox.identity.tokens import ExpiredTokenError, InvalidTokenError, Tokens


def userinfo(directory: Directory, tokens: Tokens, exchange: Exchange) -> Answer:
    """Who signed in; 401 without a person's token that has ``openid``."""
    scheme, _, token = exchange.headers.get("authorization", "").partition(" ")
    try:
        claims = tokens.claims(token.strip()) if scheme.lower() == "bearer" else {}
    except (ExpiredTokenError, InvalidTokenError):
        claims = {}
    tenant = directory.tenants.get(str(claims.get("tid")))
    user = tenant.users.get(str(claims.get("oid"))) if tenant else None
    if user is None or "openid" not in str(claims.get("scp", "")).split():
        challenge = {"WWW-Authenticate": 'Bearer realm="", error="invalid_token"'}
        body = {"error": {"code": "InvalidAuthenticationToken", "message": "Access token is empty or invalid."}}
        return Answer(401, body, challenge)
    found: dict[str, Json] = {
        "sub": tokens.subject(user.id, str(claims["appid"])),
        "name": user.display_name,
        "family_name": user.properties.get("surname"),
        "given_name": user.properties.get("givenName"),
        "picture": f"{exchange.origin}/v1.0/me/photo/$value",
        "email": user.properties.get("mail"),
    }
    return Answer(200, {name: value for name, value in found.items() if value is not None})
