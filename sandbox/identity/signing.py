"""The keys that sign a sandbox's tokens: made when first needed, kept in the state directory, replaced on demand."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_KEY_BITS = 2048
_FIRST = "signing-key.pem"
_LATER = re.compile(r"signing-key-(\d+)\.pem")


def b64url(data: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_b64url(text: str) -> bytes:
    """The bytes behind unpadded base64. Raises ``ValueError`` if it is none."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class SigningKey:
    """RSA with SHA-256. All tenants of a sandbox share the key, as all tenants of a Microsoft cloud do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _private(self) -> rsa.RSAPrivateKey:
        if self.path.exists():
            loaded = serialization.load_pem_private_key(self.path.read_bytes(), password=None)
            if isinstance(loaded, rsa.RSAPrivateKey):
                return loaded
        key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write_secret(self.path, pem)
        return key

    @cached_property
    def _certificate(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "entra-jit sandbox token signing")])
        start = datetime(2026, 1, 1, tzinfo=UTC)
        return (
            x509.CertificateBuilder(name, name, self._private.public_key(), x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=3650))
            .sign(self._private, hashes.SHA256())
        )

    @cached_property
    def id(self) -> str:
        """``kid``, and ``x5t`` too: derived from the public key, so it outlives a restart."""
        public = self._private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return b64url(hashlib.sha256(public).digest()[:20])

    def sign(self, message: bytes) -> bytes:
        """RS256."""
        return self._private.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's."""
        try:
            self._private.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def jwk(self, issuer: str) -> dict[str, object]:
        """The public half, as the keys document has it."""
        numbers = self._private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.id,
            "x5t": self.id,
            "n": b64url(numbers.n.to_bytes(_KEY_BITS // 8, "big")),
            "e": b64url(numbers.e.to_bytes(3, "big")),
            "x5c": [base64.b64encode(self._certificate.public_bytes(serialization.Encoding.DER)).decode()],
            "cloud_instance_name": "microsoftonline.com",
            "issuer": issuer,
        }


class KeyRing:
    """The key that signs now and those that signed before, all of them published and all of them still good."""

    def __init__(self, state: Path) -> None:
        self._state = state
        later = [(int(match[1]), path) for path in state.iterdir() if (match := _LATER.fullmatch(path.name))]
        paths = [path for _, path in sorted(later)]
        first = state / _FIRST
        self._keys = [SigningKey(path) for path in ([first] if first.exists() or not paths else []) + paths]

    @property
    def current(self) -> SigningKey:
        """The key that signs."""
        return self._keys[-1]

    @property
    def published(self) -> list[SigningKey]:
        """All keys whose signatures are good, the current one first."""
        return self._keys[::-1]

    def named(self, key_id: object) -> SigningKey | None:
        """The key with this ``kid``, if it is still good."""
        return next((key for key in self.published if key.id == key_id), None)

    def rotate(self) -> SigningKey:
        """Sign with a new key from now on; what earlier ones signed stays good."""
        number = int(match[1]) if (match := _LATER.fullmatch(self.current.path.name)) else 1
        self._keys.append(SigningKey(self._state / f"signing-key-{number + 1}.pem"))
        return self.current

    def retire(self) -> None:
        """Stop publishing all but the current key: what the others signed is no longer good."""
        for key in self._keys[:-1]:
            key.path.unlink(missing_ok=True)
        del self._keys[:-1]

    @cached_property
    def secret(self) -> str:
        """A symmetric key for what only the sandbox itself reads again: refresh tokens, cookies, the state of pages."""
        path = self._state / "session-secret"
        if not path.exists():
            _write_secret(path, secrets.token_hex(32).encode())
        return path.read_text(encoding="ascii")


def _write_secret(path: Path, content: bytes) -> None:
    """For its owner's eyes, whole or not at all."""
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)
