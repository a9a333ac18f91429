"""Salted digests of the secrets that a sandbox is given.

One round of SHA-256 keeps secrets out of the state file, which is all that a simulator owes. A real directory needs a
slow function; here it would only slow down the tests.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Digest:
    """What remains of a secret: enough to recognise it, not to tell it."""

    salt: str
    sha256: str

    @classmethod
    def of(cls, secret: str) -> Self:
        """The digest of a secret, with a salt of its own."""
        salt = secrets.token_hex(8)
        return cls(salt, _hash(salt, secret))

    def matches(self, secret: str) -> bool:
        """Whether this is the secret, compared in constant time."""
        return hmac.compare_digest(self.sha256, _hash(self.salt, secret))


def _hash(salt: str, secret: str) -> str:
    return hashlib.sha256(f"{salt}:{secret}".encode()).hexdigest()
