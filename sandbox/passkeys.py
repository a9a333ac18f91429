"""Passkeys as a relying party checks them: what may be registered, and whether an assertion was signed with one.

The protocol is ``fido2``'s. It is imported where it is needed: most sandboxes never see a passkey.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from sandbox.directory.rows import ALL_USERS, SignInMethod, User
from sandbox.directory.tenant import Tenant
from sandbox.exchange import Json

if TYPE_CHECKING:
    from fido2.server import Fido2Server

CHALLENGE_LIFETIME = timedelta(minutes=5)
LEGACY_PROFILE = "00000000-0000-0000-0000-000000000001"
_SECRET = secrets.token_bytes(32)
"""A restart forgets the challenges that were given out: they would last for minutes."""
_NONCE, _WHEN, _TAG = 16, 8, 32


class PasskeyError(Exception):
    """It is not accepted; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A passkey that was just made."""

    id: str
    """Of the credential, base64url."""
    public_key: str
    """What verifies its assertions, base64."""
    aaguid: str
    is_synced: bool
    is_attested: bool


def rp_id(origin: str) -> str:
    """The relying party's id. Browsers take no address for it, so this machine's own are ``localhost``."""
    host = urlsplit(origin).hostname or ""
    try:
        return "localhost" if ip_address(host).is_loopback else host
    except ValueError:
        return host


def user_handle(tenant: Tenant, user: User) -> bytes:
    """What a passkey knows its account by."""
    return b"OF" + UUID(tenant.id).bytes + UUID(user.id).bytes


def new_challenge(purpose: str, now: datetime) -> str:
    """A challenge for one purpose and five minutes. It carries its own proof, so nothing is remembered."""
    body = secrets.token_bytes(_NONCE) + int(now.timestamp()).to_bytes(_WHEN)
    return text(body + _proof(purpose, body))


def _proof(purpose: str, body: bytes) -> bytes:
    return hmac.digest(_SECRET, purpose.encode() + b"\n" + body, "sha256")


def _expect_ours(purpose: str, challenge: bytes, now: datetime) -> None:
    body, proof = challenge[:-_TAG], challenge[-_TAG:]
    if len(challenge) != _NONCE + _WHEN + _TAG or not hmac.compare_digest(_proof(purpose, body), proof):
        raise PasskeyError("the challenge is not one that was given out for this")
    if now - datetime.fromtimestamp(int.from_bytes(body[_NONCE:]), UTC) > CHALLENGE_LIFETIME:
        raise PasskeyError("the challenge has expired")


def read_registration(purpose: str, credential: dict[str, Json], origin: str, now: datetime) -> Registered:
    """The passkey that a client made for a challenge of ours. Raises ``PasskeyError``.

    Attestation statements are not verified: the sandbox knows no maker's certificates.
    """
    from fido2.webauthn import AttestationObject, AuthenticatorData, RegistrationResponse  # noqa: PLC0415

    whole = credential | {"rawId": credential.get("id"), "type": "public-key"}
    try:
        response = RegistrationResponse.from_dict(whole)
        challenge = response.response.client_data.challenge
        _expect_ours(purpose, challenge, now)
        made = _server(origin).register_complete(_state(challenge), whole)
        attestation: AttestationObject = response.response.attestation_object
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PasskeyError(str(error) or type(error).__name__) from None
    held = made.credential_data
    if held is None or held.credential_id != response.raw_id:
        raise PasskeyError("the credential's id is another than the attested one")
    return Registered(
        id=text(held.credential_id),
        public_key=base64.b64encode(held).decode(),
        aaguid=str(UUID(bytes=bytes(held.aaguid))),
        is_synced=bool(made.flags & AuthenticatorData.FLAG.BE),
        is_attested=attestation.fmt != "none",
    )


def signed_with(
    purpose: str, methods: tuple[SignInMethod, ...], assertion: dict[str, Json], origin: str, now: datetime
) -> SignInMethod:
    """The passkey, of these, that signed a challenge of ours. Raises ``PasskeyError``."""
    from fido2.webauthn import AttestedCredentialData, AuthenticationResponse  # noqa: PLC0415

    held = {method.id: method for method in methods if method.public_key}
    keys = [AttestedCredentialData(base64.b64decode(method.public_key or "")) for method in held.values()]
    try:
        whole: dict[str, Json] = dict(assertion)
        challenge = AuthenticationResponse.from_dict(whole).response.client_data.challenge
        _expect_ours(purpose, challenge, now)
        used = _server(origin).authenticate_complete(_state(challenge), keys, whole)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PasskeyError(str(error) or type(error).__name__) from None
    return held[text(used.credential_id)]


def _server(origin: str) -> Fido2Server:
    from fido2.server import Fido2Server  # noqa: PLC0415
    from fido2.webauthn import PublicKeyCredentialRpEntity  # noqa: PLC0415

    party = rp_id(origin)
    return Fido2Server(
        PublicKeyCredentialRpEntity(id=party, name="Microsoft"),
        verify_origin=lambda said: said == f"https://{party}" or said.startswith(f"https://{party}:"),
    )


def _state(challenge: bytes) -> dict[str, str]:
    return {"challenge": text(challenge), "user_verification": "required"}


def text(content: bytes) -> str:
    """Bytes in base64url without padding, as WebAuthn writes them."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


# -- the tenant's policy: Graph's own properties, as they were written


def profiles_of(tenant: Tenant, user: User) -> list[dict[str, Json]]:
    """The passkey profiles that the policy gives this account; none: it may have no passkey."""
    policy: dict[str, Json] = dict(tenant.organization.passkeys)
    groups = {group.id for group in tenant.groups.find("member", user.id)}
    excluded = {one["id"] for one in policy.get("excludeTargets") or []}
    if not tenant.organization.method_states.get("Fido2", True) or user.is_guest or groups & excluded:
        return []
    targets = policy.get("includeTargets", [{"id": ALL_USERS}])
    fitting = [target for target in targets if target["id"] in {ALL_USERS, *groups}]
    profiles = {profile["id"]: profile for profile in policy.get("passkeyProfiles") or []}
    if not profiles:
        return [_legacy_profile(policy)] if fitting else []
    default = policy.get("defaultPasskeyProfile", LEGACY_PROFILE)
    named = dict.fromkeys(one for target in fitting for one in target.get("allowedPasskeyProfiles") or [default])
    return [profiles[one] for one in named if one in profiles]


def _legacy_profile(policy: dict[str, Json]) -> dict[str, Json]:
    enforced = policy.get("isAttestationEnforced", False)
    return {
        "id": LEGACY_PROFILE,
        "passkeyTypes": "deviceBound" if enforced else "deviceBound,synced",
        "attestationEnforcement": "registrationOnly" if enforced else "disabled",
        "keyRestrictions": policy.get("keyRestrictions") or {},
    }


def may_register(tenant: Tenant, user: User, made: Registered) -> bool:
    """Whether some profile takes this passkey."""
    return any(
        _takes(profile, made.aaguid, is_synced=made.is_synced)
        and (made.is_attested or profile.get("attestationEnforcement") != "registrationOnly")
        for profile in profiles_of(tenant, user)
    )


def may_use(tenant: Tenant, user: User, method: SignInMethod) -> bool:
    """Whether some profile takes this passkey at a sign-in, where attestation is not asked for any more."""
    is_synced = method.properties.get("passkeyType") == "synced"
    return any(
        _takes(profile, str(method.properties.get("aaGuid")), is_synced=is_synced)
        for profile in profiles_of(tenant, user)
    )


def _takes(profile: dict[str, Json], aaguid: str, *, is_synced: bool) -> bool:
    if ("synced" if is_synced else "deviceBound") not in str(profile.get("passkeyTypes", "")).split(","):
        return False
    restrictions = profile.get("keyRestrictions") or {}
    if not restrictions.get("isEnforced"):
        return True
    is_listed = aaguid in {str(one).lower() for one in restrictions.get("aaGuids") or []}
    return is_listed is (restrictions.get("enforcementType") == "allow")
