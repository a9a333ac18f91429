"""Applications that prove themselves with a certificate: a signed assertion in place of a secret."""

from __future__ import annotations

import base64

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sandbox.clock import Clock
from sandbox.directory.rows import Application
from sandbox.exchange import Exchange
from sandbox.identity.client_errors import (
    assertion_for_another,
    assertion_out_of_time,
    bad_assertion_signature,
    malformed_assertion,
)
from sandbox.identity.errors import SignInError
from sandbox.identity.signing import b64url

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS = ["PS256", "RS256"]
_SKEW_SECONDS = 300


def check_assertion(
    assertion: str, application: Application, tenant_names: frozenset[str], exchange: Exchange, clock: Clock
) -> None:
    """Raises ``SignInError`` unless one of the application's certificates signed this for this endpoint, just now.

    ``tenant_names`` are the ways in which the audience may name the tenant: its GUID and what the path says.
    """
    try:
        head = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError:
        raise malformed_assertion() from None
    key = _key_of(application, head)
    try:
        claims = jwt.decode(
            assertion,
            key,
            algorithms=_ALGORITHMS,
            options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        raise bad_assertion_signature("The provided signature value did not match the expected signature value.") from (
            None
        )
    if claims.get("iss") != application.id or claims.get("sub") != application.id:
        raise assertion_for_another("issuer or subject")
    if str(claims.get("aud")).lower() not in _audiences(exchange.origin, tenant_names):
        raise assertion_for_another("audience")
    require_in_time(claims.get("nbf", 0), claims.get("exp"), clock)


def require_in_time(not_before: object, expires: object, clock: Clock) -> None:
    """Raises ``SignInError`` unless an assertion with these times counts now, give or take five minutes."""
    now = clock.now().timestamp()
    if not isinstance(expires, (int, float)) or not isinstance(not_before, (int, float)):
        raise malformed_assertion()
    if now > expires + _SKEW_SECONDS or now < not_before - _SKEW_SECONDS:
        raise assertion_out_of_time()


def _audiences(origin: str, tenant_names: frozenset[str]) -> set[str]:
    return {
        f"{origin}/{name}{suffix}".lower()
        for name in tenant_names
        for suffix in ("/oauth2/v2.0/token", "/oauth2/token", "/v2.0", "/")
    }


def _key_of(application: Application, head: dict[str, object]) -> RSAPublicKey:
    if head.get("alg") not in _ALGORITHMS:
        raise _unsuited()
    for pem in application.certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        thumbprints = {
            b64url(certificate.fingerprint(hashes.SHA256())): head.get("x5t#S256"),
            b64url(certificate.fingerprint(hashes.SHA1())): head.get("x5t"),  # noqa: S303 - the format's own
        }
        public = certificate.public_key()
        if isinstance(public, RSAPublicKey) and any(
            isinstance(named, str) and named.rstrip("=") == thumbprint for thumbprint, named in thumbprints.items()
        ):
            return public
    named = str(head.get("x5t#S256") or head.get("x5t") or "")
    shown = base64.urlsafe_b64decode(named + "=" * (-len(named) % 4)).hex().upper() if named.isascii() else ""
    raise bad_assertion_signature(f"The key was not found., Thumbprint of key used by client: '{shown}'")


def _unsuited() -> SignInError:
    return bad_assertion_signature("The signing algorithm is not supported.")
