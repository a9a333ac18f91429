"""The second factor: a code from a phone that the sandbox simulates, and therefore shows."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from sandbox.clock import seconds
from sandbox.directory.rows import SignInMethod, User
from sandbox.identity.signing import KeyRing

_STEP = timedelta(seconds=30)
_FACTORS = frozenset({"phone", "microsoftAuthenticator", "softwareOath", "fido2", "windowsHelloForBusiness"})


def can_confirm(user: User) -> bool:
    """Whether the account has anything registered that counts as a second factor."""
    return any(method.kind in _FACTORS for method in user.methods)


def code_now(keys: KeyRing, user: User, now: datetime) -> str:
    """The six digits that this person's phone shows now."""
    return _code(keys, user, int(now.timestamp() // _STEP.total_seconds()))


def is_right(keys: KeyRing, user: User, code: str, now: datetime) -> bool:
    """Whether these are the digits of now, or of a minute ago at most."""
    step = int(now.timestamp() // _STEP.total_seconds())
    digits = code.replace(" ", "")
    return any(hmac.compare_digest(digits.encode(), _code(keys, user, step - late).encode()) for late in range(3))


def with_authenticator(user: User, now: datetime) -> User:
    """The account with a phone registered: a way in that stays until it is removed."""
    method = SignInMethod(
        id=str(uuid4()),
        kind="microsoftAuthenticator",
        properties={
            "createdDateTime": seconds(now),
            "displayName": "Simulated phone",
            "deviceTag": "SoftwareTokenActivated",
            "phoneAppVersion": "6.2501.0001",
        },
    )
    return replace(user, methods=(*user.methods, method))


def _code(keys: KeyRing, user: User, step: int) -> str:
    digest = hmac.digest(keys.secret.encode(), f"{user.id}:{step}".encode(), hashlib.sha256)
    return f"{int.from_bytes(digest[:8]) % 1_000_000:06}"
