"""The deployment's keys, and one key derived from them for each purpose."""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from models.errors import SettingsError

KEY_BYTES = 32

# A key's id stands inside owner tags and marks, whose parts a semicolon divides.
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class UnknownKeyError(SettingsError):
    """Something was signed or sealed with a key that this deployment no longer has."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"the deployment has no key {key_id!r}; add it to ENTRA_JIT_KEYS to read what it sealed")
        self.key_id = key_id


class Purpose(StrEnum):
    """What a derived key is for. A key for one purpose never opens what another made."""

    ASSERTION = "assertion"
    OWNER_TAG = "owner tag"
    OPEN_UNTIL = "open-until mark"
    SEALING = "sealing"
    HISTORY = "history"


@dataclass(frozen=True)
class Keyring:
    """Keys by id. The first one signs and seals; all of them verify and open, which is how keys are rotated."""

    active_id: str
    _keys: dict[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, setting: str) -> Keyring:
        """Read ``id:base64[,id:base64 ...]``; raises ``SettingsError`` with a sentence that quotes nothing."""
        keys: dict[str, bytes] = {}
        for place, entry in enumerate(setting.split(","), start=1):
            key_id, _, encoded = entry.strip().partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except ValueError:  # binascii's own for what is no base64, the bare one for what is not ASCII
                key = b""
            if not _KEY_ID.fullmatch(key_id) or len(key) != KEY_BYTES:
                raise SettingsError(f"ENTRA_JIT_KEYS: entry {place} is not id:base64 of {KEY_BYTES} bytes")
            if key_id in keys:
                raise SettingsError(f"ENTRA_JIT_KEYS: entry {place} repeats the key id of an earlier one")
            keys[key_id] = key
        return cls(active_id=next(iter(keys)), _keys=keys)

    @property
    def ids(self) -> tuple[str, ...]:
        """Every key id, the active one first."""
        return tuple(self._keys)

    def derive(self, key_id: str, purpose: Purpose) -> bytes:
        """The 32-byte key of one purpose (a single HKDF-Expand block); raises ``UnknownKeyError``."""
        if key_id not in self._keys:
            raise UnknownKeyError(key_id)
        return hmac.digest(self._keys[key_id], f"entra-jit/{purpose}/v1\x01".encode(), "sha256")

    def sign(self, purpose: Purpose, content: str) -> str:
        """The Ed25519 signature of ``content`` under the active key: 86 characters, base64url without padding."""
        return _text(self._signing_key(self.active_id, purpose).sign(_bytes(content)))

    def verify(self, key_id: str, purpose: Purpose, content: str, signature: str) -> bool:
        """Whether ``content`` was signed so by this deployment. A public key would be enough, and cannot sign."""
        if key_id not in self._keys:
            return False
        try:
            raw = base64.urlsafe_b64decode(_bytes(signature) + b"==")
            self._signing_key(key_id, purpose).public_key().verify(raw, _bytes(content))
        except (ValueError, InvalidSignature):
            return False
        # Base64 can write the same bytes in several ways; only ours is accepted.
        return _text(raw) == signature

    def _signing_key(self, key_id: str, purpose: Purpose) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.derive(key_id, purpose))


def _text(signature: bytes) -> str:
    return base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    # Text from a directory is untrusted. Half a character in it must be a wrong signature, not an error:
    # an error would keep the account from being closed.
    return text.encode("utf-8", "surrogatepass")
