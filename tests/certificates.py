"""Certificates with which applications prove themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa


class Certificate:
    """A key with its self-signed certificate."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sandbox-only")])
        now = datetime.now(UTC)
        self.certificate = (
            x509.CertificateBuilder(name, name, self.key.public_key(), 1, now, now + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )  # fmt: skip
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        self.key_pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    @property
    def both(self) -> tuple[str, str]:
        """The key and the certificate, PEM."""
        return self.key_pem, self.pem
