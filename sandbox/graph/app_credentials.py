"""Passwords, certificates and owners of applications and service principals: what a sweep for persistence reads."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4, uuid5

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pydantic import TypeAdapter

from sandbox.clock import seconds
from sandbox.directory.digest import Digest
from sandbox.directory.rows import ClientSecret
from sandbox.exchange import Answer, Json
from sandbox.graph.call import Call, is_guid
from sandbox.graph.errors import GraphError, bad_request, not_found, value_required

_USUAL_LIFE = timedelta(days=730)
_DURATIONS = TypeAdapter(timedelta)
_POLICY_ID = "00000000-0000-0000-0000-000000000000"
_NAMESPACE = UUID("5f1c9a52-7a5a-4b0e-9d4c-6c9f0f0c7a11")


def key_id(secret: ClientSecret) -> str:
    """The id by which a secret is listed and removed; one from the seed has a derived one."""
    return secret.key_id or str(uuid5(_NAMESPACE, secret.digest.sha256))


def password_credentials(held: Iterable[ClientSecret]) -> list[dict[str, Json]]:
    """Secrets as Graph lists them: a hint, never the value."""
    return [_shown(secret) for secret in held]


def key_credentials(certificates: Iterable[str]) -> list[dict[str, Json]]:
    """Certificates (PEM) as Graph lists them, without the key itself."""
    return [_certificate(pem) for pem in certificates]


def new_password(call: Call) -> tuple[ClientSecret, str]:
    """A secret as ``addPassword`` asks for it, and its value, which is told this once."""
    asked = call.json_object(optional=True).get("passwordCredential") or {}
    if not isinstance(asked, dict):
        raise bad_request("Invalid value specified for property 'passwordCredential' of resource 'Application'.")
    value = secrets.token_urlsafe(30)
    ends = _time(asked.get("endDateTime")) or call.exchange.at + _USUAL_LIFE
    starts = _time(asked.get("startDateTime")) or call.exchange.at
    _expect_permitted(call, ends - starts)
    secret = ClientSecret(
        digest=Digest.of(value),
        hint=value[:3],
        expires=ends,
        created=starts,
        key_id=str(uuid4()),
        display_name=asked.get("displayName"),
    )
    return secret, value


def _expect_permitted(call: Call, lifetime: timedelta) -> None:
    """What the tenant's app management policy says of new secrets. Raises 400.

    Status and words of a lifetime's refusal as pasted in microsoft/PubSec-Info-Assistant#681. Registrations of the
    sandbox have no date, so none is older than a rule.
    """
    rules = call.tenant.organization.app_restrictions.get("passwordCredentials")
    for rule in rules if isinstance(rules, list) else []:
        if not isinstance(rule, dict) or rule.get("state", "enabled") != "enabled":
            continue
        if rule.get("restrictionType") == "passwordAddition":
            message = "Credential type not allowed as per assigned policy."
            raise GraphError(400, "CredentialTypeNotAllowedAsPerAppPolicy", message)
        longest = rule.get("maxLifetime")
        if rule.get("restrictionType") == "passwordLifetime" and lifetime > _DURATIONS.validate_python(longest):
            message = f"Credential lifetime exceeds the max value allowed as per assigned policy '{_POLICY_ID}'."
            raise GraphError(400, "CredentialInvalidLifetimeAsPerAppPolicy", message)


def added(call: Call, secret: ClientSecret, value: str) -> Answer:
    """The only answer that ever carries the secret."""
    head: dict[str, Json] = {"@odata.context": f"{call.context_base}microsoft.graph.passwordCredential"}
    return Answer(200, head | _shown(secret) | {"secretText": value})


def without(call: Call, held: tuple[ClientSecret, ...]) -> tuple[ClientSecret, ...]:
    """The secrets without the one that ``removePassword`` names. Raises 400 if there is no such."""
    wanted = call.json_object().get("keyId")
    if not isinstance(wanted, str):
        raise value_required("keyId", "Application")
    if not is_guid(wanted) or all(key_id(secret) != wanted.lower() for secret in held):
        raise bad_request(f"No password credential found with keyId '{wanted}'.")
    return tuple(secret for secret in held if key_id(secret) != wanted.lower())


def named(secret: ClientSecret) -> ClientSecret:
    """The secret with an id of its own in its row."""
    return replace(secret, key_id=key_id(secret))


def require_owner(call: Call, owners: frozenset[str], owner: str) -> None:
    """Raises 404 unless this is one of the owners."""
    if owner not in owners:
        raise not_found(owner)


def _shown(secret: ClientSecret) -> dict[str, Json]:
    return {
        "customKeyIdentifier": None,
        "displayName": secret.display_name,
        "endDateTime": seconds(secret.expires) if secret.expires else "2299-12-31T00:00:00Z",
        "hint": secret.hint,
        "keyId": key_id(secret),
        "secretText": None,
        "startDateTime": seconds(secret.created) if secret.created else None,
    }


def _certificate(pem: str) -> dict[str, Json]:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    thumbprint = certificate.fingerprint(hashes.SHA1())  # noqa: S303 - Microsoft's choice of identifier
    return {
        "customKeyIdentifier": base64.b64encode(thumbprint).decode(),
        "displayName": certificate.subject.rfc4514_string(),
        "endDateTime": seconds(certificate.not_valid_after_utc),
        "key": None,
        "keyId": str(uuid5(_NAMESPACE, thumbprint.hex())),
        "startDateTime": seconds(certificate.not_valid_before_utc),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def _time(text: Json) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise bad_request(
            "Invalid value specified for property 'passwordCredential' of resource 'Application'."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
