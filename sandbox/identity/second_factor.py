"""The second factor: a code from a phone that the sandbox simulates, and therefore shows."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

from sandbox.clock import seconds
from sandbox.directory.rows import SignInMethod, User
from sandbox.directory.tenant import Tenant
from sandbox.identity.signing import KeyRing

_STEP = timedelta(seconds=30)
_FACTORS = frozenset({"phone", "microsoftAuthenticator", "softwareOath", "fido2", "windowsHelloForBusiness"})


PORTALS = {
    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c": "Azure Portal",
    "00000006-0000-0ff1-ce00-000000000000": "Microsoft Office 365 Portal",
}
"""Microsoft's portals, by client id: the first has the admin centres of Entra and Intune, too. Signing in to them takes
more than one factor in every tenant, whatever its policies say."""


def is_demanded(tenant: Tenant, user: User, client_id: str) -> bool:
    """Whether this account needs more than one factor for this application."""
    policy = tenant.organization.sign_in
    return (
        policy.require_mfa
        or policy.require_phishing_resistant
        or (policy.mandatory_mfa and client_id in PORTALS)
        or (tenant.organization.security_defaults and bool(tenant.roles_of(user.id)))
    )


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
