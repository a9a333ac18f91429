"""Sealing secrets at rest: AES-256-GCM, bound to the key's id and to what the secret belongs to."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from trust.keyring import Keyring, Purpose

NONCE_BYTES = 12


class SealBrokenError(Exception):
    """The sealed secret was changed, or belongs to something else. Never says what it held."""


@dataclass(frozen=True)
class Sealed:
    """A sealed secret: the id of the key that opens it, and nonce plus ciphertext."""

    key_id: str
    ciphertext: bytes = field(repr=False)


def seal(keyring: Keyring, secret: SecretStr, belongs_to: str) -> Sealed:
    """Seal ``secret`` under the active key. It opens only for the same ``belongs_to``."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    key_id = keyring.active_id
    cipher = AESGCM(keyring.derive(key_id, Purpose.SEALING))
    sealed = cipher.encrypt(nonce, secret.get_secret_value().encode(), _bound(key_id, belongs_to))
    return Sealed(key_id, nonce + sealed)


def unseal(keyring: Keyring, sealed: Sealed, belongs_to: str) -> SecretStr:
    """Open what ``seal`` made; raises ``SealBrokenError``, or ``UnknownKeyError`` where the key is gone."""
    cipher = AESGCM(keyring.derive(sealed.key_id, Purpose.SEALING))
    nonce, ciphertext = sealed.ciphertext[:NONCE_BYTES], sealed.ciphertext[NONCE_BYTES:]
    try:
        return SecretStr(cipher.decrypt(nonce, ciphertext, _bound(sealed.key_id, belongs_to)).decode())
    except (InvalidTag, ValueError):  # the latter for what is too short to hold a nonce
        raise SealBrokenError(f"the sealed secret of {belongs_to} cannot be opened: it was changed") from None


def _bound(key_id: str, belongs_to: str) -> bytes:
    return f"{key_id}\n{belongs_to}".encode()
