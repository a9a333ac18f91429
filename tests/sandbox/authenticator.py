"""A passkey in software, as a server can make it: a key pair, and what WebAuthn wraps it in."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fido2.cose import ES256
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

_FLAG = AuthenticatorData.FLAG
VERIFIED = _FLAG.UP | _FLAG.UV


def text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def content(written: str) -> bytes:
    return base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))


@dataclass
class Authenticator:
    """One passkey. ``flags`` are what it says of itself: synced where it has BE and BS."""

    aaguid: UUID = field(default_factory=uuid4)
    flags: int = VERIFIED | _FLAG.BE | _FLAG.BS
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: uuid4().bytes + uuid4().bytes)

    def create(self, options: dict[str, Any], origin: str | None = None) -> dict[str, Any]:
        """The credential for ``publicKey`` options, as Graph takes it."""
        party = options["rp"]["id"]
        public_key = ES256.from_cryptography_key(self.key.public_key())
        held = AttestedCredentialData.create(Aaguid(self.aaguid.bytes), self.credential_id, public_key)
        said = AuthenticatorData.create(_hash(party), self.flags | _FLAG.AT, 0, held)
        client = CollectedClientData.create("webauthn.create", options["challenge"], origin or f"https://{party}")
        attestation = AttestationObject.create("none", said, {})
        return {
            "id": text(self.credential_id),
            "response": {"clientDataJSON": text(client), "attestationObject": text(bytes(attestation))},
        }

    def get(self, challenge: str, party: str, origin: str | None = None) -> dict[str, Any]:
        """The assertion that signs in."""
        said = AuthenticatorData.create(_hash(party), self.flags, 0)
        client = CollectedClientData.create("webauthn.get", challenge, origin or f"https://{party}")
        signature = self.key.sign(said + client.hash, ec.ECDSA(hashes.SHA256()))
        return {
            "id": text(self.credential_id),
            "rawId": text(self.credential_id),
            "type": "public-key",
            "response": {
                "clientDataJSON": text(client),
                "authenticatorData": text(said),
                "signature": text(signature),
            },
        }

    def as_chromium_takes_it(self, options: dict[str, Any]) -> dict[str, Any]:
        """The credential, with its private key, as the DevTools protocol adds it to a virtual authenticator."""
        private = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return {
            "credentialId": base64.b64encode(self.credential_id).decode(),
            "isResidentCredential": True,
            "rpId": options["rp"]["id"],
            "privateKey": base64.b64encode(private).decode(),
            "userHandle": base64.b64encode(content(options["user"]["id"])).decode(),
            "signCount": 0,
            "backupEligibility": True,
            "backupState": True,
        }


def _hash(party: str) -> bytes:
    return hashlib.sha256(party.encode()).digest()
