"""The key pair of a passkey: made here, wrapped as WebAuthn has it, and never seen outside of what uses it.

An authenticator would do this on a chip. Here the private key is sealed before the directory hears of the public one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from pydantic import JsonValue, SecretStr

from entra_jit.emergency_kit import Passkey
from entra_jit.graph import PublicKeyOptions
from entra_jit.ledger.emergency import EmergencyAccount, StoredPasskey
from entra_jit.policy.emergency import AAGUID
from models.errors import SettingsError
from models.messages import EmergencyRef

_ID_BYTES = 32


def new_key_pair() -> SecretStr:
    """A new key on P-256 and a credential id, as they are sealed."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    parts = {
        "credential_id": _text(secrets.token_bytes(_ID_BYTES)),
        "private_key": base64.b64encode(private).decode(),
    }
    return SecretStr(json.dumps(parts))


def credential_id(pair: SecretStr) -> str:
    """By which the passkey is known, base64url. It opens nothing."""
    found = json.loads(pair.get_secret_value())["credential_id"]
    return str(found)


def attest(pair: SecretStr, options: PublicKeyOptions) -> dict[str, JsonValue]:
    """The public half of the passkey for these options, as Graph takes it.

    Attestation ``none``: no maker vouches for software. The flags say that the person is present and verified, and that
    the passkey is kept in more than one place, as it is.
    """
    # Imported where it is used: only a rotation makes a passkey.
    from fido2.cose import ES256  # noqa: PLC0415
    from fido2.webauthn import (  # noqa: PLC0415
        Aaguid,
        AttestationObject,
        AttestedCredentialData,
        AuthenticatorData,
        CollectedClientData,
    )

    parts = json.loads(pair.get_secret_value())
    key = load_der_private_key(base64.b64decode(parts["private_key"]), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SettingsError("A sealed emergency credential holds no key of the kind that is made here.")
    flag = AuthenticatorData.FLAG
    held = AttestedCredentialData.create(
        Aaguid(AAGUID.bytes),
        _bytes(parts["credential_id"]),
        ES256.from_cryptography_key(key.public_key()),  # type: ignore[no-untyped-call]
    )
    said = AuthenticatorData.create(
        hashlib.sha256(options.rp.id.encode()).digest(), flag.UP | flag.UV | flag.BE | flag.BS | flag.AT, 0, held
    )
    client = CollectedClientData.create("webauthn.create", options.challenge, f"https://{options.rp.id}")
    return {
        "id": parts["credential_id"],
        "response": {
            "clientDataJSON": _text(client),
            "attestationObject": _text(bytes(AttestationObject.create("none", said, {}))),
        },
    }


def usable(ref: EmergencyRef, account: EmergencyAccount | None, stored: StoredPasskey, pair: SecretStr) -> Passkey:
    """The passkey as a browser uses it. Raises ``SettingsError`` for one that was never registered."""
    if account is None or stored.rp_id is None or stored.user_handle is None:
        raise SettingsError(f"The credential of {ref.words} was never registered.")
    parts = json.loads(pair.get_secret_value())
    return Passkey(
        tenant=ref.tenant,
        tenant_id=ref.tenant_id,
        number=ref.number,
        account_name=account.account_name,
        credential=str(stored.handle),
        credential_id=parts["credential_id"],
        private_key=parts["private_key"],
        rp_id=stored.rp_id,
        user_handle=stored.user_handle,
    )


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
