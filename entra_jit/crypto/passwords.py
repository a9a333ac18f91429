"""Random passwords that Entra accepts (facts: 8 to 256 characters, three of four classes)."""

from __future__ import annotations

import secrets
import string

from pydantic import SecretStr

LENGTH = 24
SYMBOLS = "#%*+-=?@_"
ALPHABET = string.ascii_letters + string.digits + SYMBOLS
CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits, SYMBOLS)


def new_password() -> SecretStr:
    """24 characters of all four classes from the system's random source, about 145 bits."""
    while True:
        password = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        if all(any(character in one for character in password) for one in CLASSES):
            return SecretStr(password)
