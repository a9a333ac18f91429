"""The deployment's keys, and from each of them one key pair for each purpose.

Everything is signed or sealed with a key pair, so that a process can be given as little as it needs: the public half of
a pair that seals opens nothing, and the public half of one that signs signs nothing (``narrow_keyring``).
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from models.errors import SettingsError

KEY_BYTES = 32

# A key's id stands inside owner tags and marks, whose parts a semicolon divides.
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class UnknownKeyError(SettingsError):
    """Something was signed or sealed with a key that this process no longer has."""

    def __init__(self, key_id: str, setting: str) -> None:
        super().__init__(f"the deployment has no key {key_id!r}; add it to {setting} to read what it sealed")
        self.key_id = key_id


class Purpose(StrEnum):
    """What a key pair is for. A pair for one purpose never opens or signs what is another's."""

    ASSERTION = "assertion"
    PORTAL_ASSERTION = "portal assertion"
    OWNER_TAG = "owner tag"
    OPEN_UNTIL = "open-until mark"
    TECHNICIAN_CREDENTIAL = "technician credential"
    TENANT_CREDENTIAL = "tenant credential"
    EMERGENCY_CREDENTIAL = "emergency credential"
    HISTORY = "history"
    SEALED_CACHE = "sealed cache"

    @property
    def signs(self) -> bool:
        """Signs with Ed25519; the others seal, with HPKE to an X25519 key."""
        return self in _SIGNING


_SIGNING = frozenset({Purpose.ASSERTION, Purpose.PORTAL_ASSERTION, Purpose.OWNER_TAG, Purpose.OPEN_UNTIL})


@dataclass(frozen=True)
class Keyring:
    """Keys by id. The first one signs and seals; all of them verify and open, which is how keys are rotated."""

    setting = "ENTRA_JIT_KEYS"

    active_id: str
    _keys: dict[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """Read ``id:base64[,id:base64 ...]``; raises ``SettingsError`` with a sentence that quotes nothing."""
        keys = parse_keys(text, cls.setting, KEY_BYTES)
        return cls(active_id=next(iter(keys)), _keys=keys)

    @property
    def ids(self) -> tuple[str, ...]:
        """Every key id, the active one first."""
        return tuple(self._keys)

    def private(self, key_id: str, purpose: Purpose) -> bytes:
        """The private key of one purpose, 32 bytes (a single HKDF-Expand block); raises ``UnknownKeyError``."""
        return hmac.digest(self._held(key_id), f"entra-jit/{purpose}/v1\x01".encode(), "sha256")

    def public(self, key_id: str, purpose: Purpose) -> bytes:
        """The public key of one purpose, 32 bytes; raises ``UnknownKeyError``."""
        private = self.private(key_id, purpose)
        if purpose.signs:
            return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
        return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()

    def sign(self, purpose: Purpose, content: str) -> str:
        """The Ed25519 signature of ``content`` under the active key: 86 characters, base64url without padding."""
        signing_key = Ed25519PrivateKey.from_private_bytes(self.private(self.active_id, purpose))
        return _text(signing_key.sign(_bytes(content)))

    def verify(self, key_id: str, purpose: Purpose, content: str, signature: str) -> bool:
        """Whether ``content`` was signed so by this deployment."""
        if key_id not in self.ids:
            return False
        public = Ed25519PublicKey.from_public_bytes(self.public(key_id, purpose))
        try:
            raw = base64.urlsafe_b64decode(_bytes(signature) + b"==")
            public.verify(raw, _bytes(content))
        except (ValueError, InvalidSignature):
            return False
        # Base64 can write the same bytes in several ways; only ours is accepted.
        return _text(raw) == signature

    def _held(self, key_id: str) -> bytes:
        if key_id not in self._keys:
            raise UnknownKeyError(key_id, self.setting)
        return self._keys[key_id]


def parse_keys(text: str, setting: str, length: int) -> dict[str, bytes]:
    """Keys of ``length`` bytes by id; raises ``SettingsError`` with a sentence that quotes nothing of them."""
    keys: dict[str, bytes] = {}
    for place, entry in enumerate(text.split(","), start=1):
        key_id, _, encoded = entry.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:  # binascii's own for what is no base64, the bare one for what is not ASCII
            key = b""
        if not _KEY_ID.fullmatch(key_id) or len(key) != length:
            raise SettingsError(f"{setting}: entry {place} is not id:base64 of {length} bytes")
        if key_id in keys:
            raise SettingsError(f"{setting}: entry {place} repeats the key id of an earlier one")
        keys[key_id] = key
    return keys


def _text(signature: bytes) -> str:
    return base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    # Text from a directory is untrusted. Half a character in it must be a wrong signature, not an error:
    # an error would keep the account from being closed.
    return text.encode("utf-8", "surrogatepass")
