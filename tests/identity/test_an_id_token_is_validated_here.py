"""An id token is believed only if this tenant's key signed it, for us, now, and for the sign-in that was begun.

MSAL checks none of that: it took tokens without a signature, of another audience, issuer, tenant and time.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from entra_jit.identity.open_id import InvalidIdTokenError, SignedInPerson, verified_person
from models.messages import TenantId

TENANT = TenantId("c0c0c0c0-2222-4222-8222-000000000002")
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
CLIENT = "516e1e00-0000-4000-8000-000000516e1e"
PERSON = "c0c0c0c0-2222-4222-8222-0000000000a1"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
KEY, FOREIGN = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


def jwk(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    public: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return public | {"kid": "one", "use": "sig"}


def claims(**changes: object) -> dict[str, object]:
    told = {
        "aud": CLIENT,
        "iss": ISSUER,
        "iat": NOW.timestamp(),
        "nbf": NOW.timestamp(),
        "exp": (NOW + timedelta(hours=1)).timestamp(),
        "nonce": "the nonce",
        "oid": PERSON,
        "tid": TENANT,
        "preferred_username": "admin@contoso.com",
    } | changes
    return {name: value for name, value in told.items() if value is not None}


def verified(token: str, *, at: datetime = NOW) -> SignedInPerson:
    return verified_person(
        SecretStr(token),
        keys={"keys": [jwk(KEY)]},
        issuer=ISSUER,
        tenant_id=TENANT,
        client_id=CLIENT,
        nonce="the nonce",
        at=at,
    )


def signed(key: rsa.RSAPrivateKey = KEY, kid: str = "one", **changes: object) -> str:
    return jwt.encode(claims(**changes), key, algorithm="RS256", headers={"kid": kid})


def test_a_true_one_names_the_person() -> None:
    assert verified(signed()) == SignedInPerson(TENANT, PERSON, "admin@contoso.com", "admin@contoso.com")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "token",
    [
        jwt.encode(claims(), None, algorithm="none", headers={"kid": "one"}),
        jwt.encode(claims(), "x" * 32, algorithm="HS256", headers={"kid": "one"}),
        signed(FOREIGN),
        signed(kid="another"),
        signed(aud="another"),
        signed(iss=f"https://login.microsoftonline.com/{PERSON}/v2.0"),
        signed(tid=PERSON),
        signed(nonce="another"),
        signed(exp=(NOW - timedelta(minutes=6)).timestamp()),
        signed(nbf=(NOW + timedelta(minutes=6)).timestamp()),
        *(signed(**{name: None}) for name in ("aud", "iss", "exp", "iat", "nonce", "oid", "tid")),
        "not.a.token",
        "",
    ],
)
def test_any_other_is_refused_without_being_quoted(token: str) -> None:
    with pytest.raises(InvalidIdTokenError) as refused:
        verified(token)
    assert not token or token not in str(refused.value)
