"""Sealing a secret to the one person who is to see it: a key pair of their own, for this once.

What stands between the process that opens a secret and the reader, as a portal and a ledger do, holds only what it
cannot open.
"""

from __future__ import annotations

import base64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import SecretStr

from entra_jit.crypto.sealing import SUITE
from models.errors import BadInputError, InternalError


class OneTimeKey:
    """The reader's key pair. Its private half never leaves this process."""

    def __init__(self) -> None:
        self._private = X25519PrivateKey.generate()

    @property
    def public(self) -> str:
        """What the secret is sealed to, base64."""
        return base64.b64encode(self._private.public_key().public_bytes_raw()).decode()

    def open(self, sealed: str, about: str) -> SecretStr:
        """What was sealed to this key, about the same. Raises ``InternalError`` for anything else."""
        try:
            content = base64.b64decode(sealed, validate=True)
            return SecretStr(SUITE.decrypt(content, self._private, info=about.encode()).decode())
        except (ValueError, InvalidTag):
            raise InternalError("What came back was not sealed to this reader.") from None


def read_public(text: str) -> X25519PublicKey:
    """A reader's public key. Raises ``BadInputError``."""
    try:
        return X25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except ValueError:
        raise BadInputError("reader: not a public key of X25519 in base64") from None


def seal_to(reader: X25519PublicKey, secret: SecretStr, about: str) -> str:
    """Seal ``secret`` to the reader, base64. It opens only as what it is about."""
    return base64.b64encode(SUITE.encrypt(secret.get_secret_value().encode(), reader, info=about.encode())).decode()
