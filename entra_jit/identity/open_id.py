"""Who signed in, by an id token that was validated here: signature, issuer, audience, time, nonce and tenant.

https://learn.microsoft.com/entra/identity-platform/id-tokens#validate-tokens
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from pydantic import SecretStr

from models.errors import RefusedError
from models.messages import ObjectId, TenantId

SKEW = timedelta(minutes=5)
"""By how much our clock and Microsoft's may differ."""

_CLAIMS = ("aud", "exp", "iat", "iss", "nonce", "oid", "tid")


class InvalidIdTokenError(RefusedError):
    """The id token does not prove who signed in. Never quotes it."""


@dataclass(frozen=True)
class SignedInPerson:
    """A person of a tenant, by ids that never change; the name is for people to read."""

    tenant_id: TenantId
    id: ObjectId
    name: str
    """What they sign in with, where the token has it."""
    display_name: str = ""
    app_roles: frozenset[str] = frozenset()
    """What the MSP's tenant has assigned to them of our application's roles."""
    groups: frozenset[str] = frozenset()
    """Ids of groups, where the registration has them put into the token."""
    proved_at: datetime | None = None
    """When they last proved who they are: ``auth_time``, which Microsoft gives where the registration lists it."""


def verified_person(
    token: SecretStr,
    *,
    keys: Mapping[str, Any],
    issuer: str,
    tenant_id: TenantId,
    client_id: str,
    nonce: str,
    at: datetime,
) -> SignedInPerson:
    """The person whom this id token of ``tenant_id`` names to our application ``client_id``.

    ``keys``: the tenant's key set; ``nonce``: the one that this very sign-in was begun with; ``at``: the time.
    Raises ``InvalidIdTokenError``.
    """
    text = token.get_secret_value()
    try:
        key = jwt.PyJWKSet.from_dict(dict(keys))[jwt.get_unverified_header(text)["kid"]]
        claims = jwt.decode(
            text,
            key,
            # Named here: a token must not choose how it is verified.
            algorithms=["RS256"],
            audience=client_id,
            issuer=issuer,
            options={"require": list(_CLAIMS), "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except (jwt.PyJWTError, KeyError) as error:
        raise InvalidIdTokenError(f"The sign-in cannot be verified ({type(error).__name__}).") from None
    if not _is_in_time(claims, at):
        raise InvalidIdTokenError("The sign-in is not of now; check this machine's clock.")
    if claims["nonce"] != nonce:
        raise InvalidIdTokenError("The sign-in is another than the one that was begun.")
    if claims["tid"] != tenant_id:
        raise InvalidIdTokenError("The person signed in to another tenant.")
    name = str(claims.get("preferred_username") or claims.get("name") or claims["oid"])
    return SignedInPerson(
        tenant_id,
        ObjectId(str(claims["oid"])),
        name,
        display_name=str(claims.get("name") or name),
        app_roles=_texts(claims.get("roles")),
        groups=_texts(claims.get("groups")),
        proved_at=_moment(claims.get("auth_time")),
    )


def _texts(claim: object) -> frozenset[str]:
    return frozenset(one for one in claim if isinstance(one, str)) if isinstance(claim, list) else frozenset()


def _moment(claim: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(str(claim)), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _is_in_time(claims: Mapping[str, Any], at: datetime) -> bool:
    now, skew = at.timestamp(), SKEW.total_seconds()
    try:
        return float(claims.get("nbf", claims["iat"])) - skew <= now < float(claims["exp"]) + skew
    except (TypeError, ValueError):
        return False
