"""The key that signs a sandbox's tokens: made when first needed, kept in the state directory."""

from __future__ import annotations

import base64
import hashlib
import os
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_KEY_BITS = 2048


def b64url(data: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_b64url(text: str) -> bytes:
    """The bytes behind unpadded base64. Raises ``ValueError`` if it is none."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class SigningKey:
    """RSA with SHA-256. All tenants of a sandbox share the key, as all tenants of a Microsoft cloud do."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def _private(self) -> rsa.RSAPrivateKey:
        if self._path.exists():
            loaded = serialization.load_pem_private_key(self._path.read_bytes(), password=None)
            if isinstance(loaded, rsa.RSAPrivateKey):
                return loaded
        key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        fresh = self._path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(pem)
        fresh.replace(self._path)
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

    @cached_property
    def secret(self) -> str:
        """A symmetric key derived from the private one, for what only the sandbox itself reads again."""
        private = self._private.private_numbers()
        return hashlib.sha256(f"refresh tokens {private.d}".encode()).hexdigest()

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
