"""Sealing secrets at rest: AES-256-GCM, bound to the key's id and to what the secret belongs to."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from entra_jit.crypto.keyring import Keyring, Purpose
from models.errors import SettingsError

NONCE_BYTES = 12


class SealBrokenError(SettingsError):
    """The sealed secret was changed, or belongs to something else. Never says what it held."""


@dataclass(frozen=True)
class Sealed:
    """A sealed secret: the id of the key that opens it, and nonce plus ciphertext."""

    key_id: str
    ciphertext: bytes = field(repr=False)


def seal(keyring: Keyring, secret: SecretStr, belongs_to: str) -> Sealed:
    """Seal ``secret`` under the active key. It opens only for the same ``belongs_to``."""
    return seal_bytes(keyring, Purpose.SEALING, secret.get_secret_value().encode(), belongs_to)


def unseal(keyring: Keyring, sealed: Sealed, belongs_to: str) -> SecretStr:
    """Open what ``seal`` made; raises ``SealBrokenError``, or ``UnknownKeyError`` where the key is gone."""
    return SecretStr(unseal_bytes(keyring, Purpose.SEALING, sealed, belongs_to).decode())


def seal_bytes(keyring: Keyring, purpose: Purpose, content: bytes, belongs_to: str) -> Sealed:
    """Seal ``content`` under the active key of ``purpose``. It opens only for the same ``belongs_to``."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    key_id = keyring.active_id
    cipher = AESGCM(keyring.derive(key_id, purpose))
    return Sealed(key_id, nonce + cipher.encrypt(nonce, content, _bound(key_id, belongs_to)))


def unseal_bytes(keyring: Keyring, purpose: Purpose, sealed: Sealed, belongs_to: str) -> bytes:
    """Open what ``seal_bytes`` made; raises ``SealBrokenError``, or ``UnknownKeyError`` where the key is gone."""
    cipher = AESGCM(keyring.derive(sealed.key_id, purpose))
    nonce, ciphertext = sealed.ciphertext[:NONCE_BYTES], sealed.ciphertext[NONCE_BYTES:]
    try:
        return cipher.decrypt(nonce, ciphertext, _bound(sealed.key_id, belongs_to))
    except (InvalidTag, ValueError):  # the latter for what is too short to hold a nonce
        raise SealBrokenError(f"the sealed secret of {belongs_to} cannot be opened: it was changed") from None


def _bound(key_id: str, belongs_to: str) -> bytes:
    return f"{key_id}\n{belongs_to}".encode()
