"""Sealing secrets at rest: HPKE (RFC 9180), bound to purpose, key id and to what the secret belongs to.

Sealing takes the public key alone, so a process can seal what it cannot open.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from pydantic import SecretStr

from entra_jit.crypto.keyring import Keyring, Purpose
from models.errors import SettingsError

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
ENCAPSULATED_BYTES = 32


class SealBrokenError(SettingsError):
    """The sealed secret was changed, or belongs to something else. Never says what it held."""


@dataclass(frozen=True)
class Sealed:
    """A sealed secret: the id of the key that opens it, and the encapsulated key plus ciphertext."""

    key_id: str
    ciphertext: bytes = field(repr=False)


def seal(keyring: Keyring, purpose: Purpose, secret: SecretStr, belongs_to: str) -> Sealed:
    """Seal ``secret`` to the active key of ``purpose``. It opens only for the same ``belongs_to``."""
    return seal_bytes(keyring, purpose, secret.get_secret_value().encode(), belongs_to)


def unseal(keyring: Keyring, purpose: Purpose, sealed: Sealed, belongs_to: str) -> SecretStr:
    """Open what ``seal`` made; raises what ``unseal_bytes`` raises."""
    return SecretStr(unseal_bytes(keyring, purpose, sealed, belongs_to).decode())


def seal_bytes(keyring: Keyring, purpose: Purpose, content: bytes, belongs_to: str) -> Sealed:
    """Seal ``content`` to the active key of ``purpose``. It opens only for the same ``belongs_to``."""
    key_id = keyring.active_id
    recipient = X25519PublicKey.from_public_bytes(keyring.public(key_id, purpose))
    return Sealed(key_id, SUITE.encrypt(content, recipient, info=_bound(key_id, purpose, belongs_to)))


def unseal_bytes(keyring: Keyring, purpose: Purpose, sealed: Sealed, belongs_to: str) -> bytes:
    """Open what ``seal_bytes`` made.

    Raises ``SealBrokenError``, ``UnknownKeyError`` where the key is gone, or ``KeyNotHeldError`` in the portal.
    """
    recipient = X25519PrivateKey.from_private_bytes(keyring.private(sealed.key_id, purpose))
    try:
        return SUITE.decrypt(sealed.ciphertext, recipient, info=_bound(sealed.key_id, purpose, belongs_to))
    except InvalidTag:
        raise SealBrokenError(f"the sealed secret of {belongs_to} cannot be opened: it was changed") from None


def _bound(key_id: str, purpose: Purpose, belongs_to: str) -> bytes:
    return f"{purpose}\n{key_id}\n{belongs_to}".encode()
