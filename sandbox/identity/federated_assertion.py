"""Applications that show another issuer's token in place of a secret: workload identity federation."""

from __future__ import annotations

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sandbox.clock import Clock
from sandbox.directory.rows import Application, FederatedCredential
from sandbox.identity.client_assertion import require_in_time
from sandbox.identity.client_errors import (
    bad_assertion_signature,
    malformed_assertion,
    no_federated_audience,
    no_federated_issuer,
    no_federated_subject,
)

_ALGORITHMS = ["RS256"]


def is_foreign(assertion: str, application: Application) -> bool:
    """Whether another issuer speaks here, not the application itself. Raises ``SignInError`` if it is no token.

    Certificates are named in the header, but other issuers name theirs too: then the registration decides.
    """
    if _claims(assertion).get("iss") == application.id:
        return False
    names_certificate = not jwt.get_unverified_header(assertion).keys().isdisjoint({"x5t", "x5t#S256"})
    return bool(application.federated_credentials) or not names_certificate


def check_federated(assertion: str, application: Application, clock: Clock) -> None:
    """Raises ``SignInError`` unless a federated credential of the application fits this token exactly, in every letter.

    Issuer, subject and audience are compared first: who may not speak for the application learns no more than that.
    """
    claims = _claims(assertion)
    fitting = _fitting(application.federated_credentials, claims)
    if not any(_signed(assertion, pem) for credential in fitting for pem in credential.public_keys):
        raise bad_assertion_signature("The key was not found.")
    require_in_time(claims.get("nbf", 0), claims.get("exp"), clock)


def _fitting(credentials: tuple[FederatedCredential, ...], claims: dict[str, object]) -> list[FederatedCredential]:
    issuer, subject = str(claims.get("iss")), str(claims.get("sub"))
    named = claims.get("aud")
    audiences = [str(audience) for audience in named] if isinstance(named, list) else [str(named)]
    fitting = [credential for credential in credentials if credential.issuer == issuer]
    if not fitting:
        raise no_federated_issuer(issuer)
    fitting = [credential for credential in fitting if credential.subject == subject]
    if not fitting:
        raise no_federated_subject(subject)
    fitting = [credential for credential in fitting if credential.audience in audiences]
    if not fitting:
        raise no_federated_audience(", ".join(audiences))
    return fitting


def _claims(assertion: str) -> dict[str, object]:
    try:
        claims: dict[str, object] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise malformed_assertion() from None
    return claims


def _signed(assertion: str, pem: str) -> bool:
    try:
        jwt.decode(
            assertion,
            load_pem_public_key(pem.encode()),  # type: ignore[arg-type]  # of whatever kind: RS256 refuses all but RSA
            algorithms=_ALGORITHMS,
            options={"verify_aud": False, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except (jwt.InvalidTokenError, TypeError):
        return False
    return True
