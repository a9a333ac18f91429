"""Authorization codes: good once, for ten minutes, for whom they were made. A restart forgets them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.clock import Clock
from sandbox.identity.behaviour import SignInBehaviour
from sandbox.identity.person_errors import (
    code_already_redeemed,
    code_expired,
    invalid_grant,
    verifier_mismatch,
    verifier_missing,
)
from sandbox.identity.sign_in import SignedIn

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeGrant:
    """What a code stands for."""

    signed_in: SignedIn
    client_id: str
    redirect_uri: str
    scope: str
    nonce: str | None
    challenge: str | None
    challenge_method: str
    expires: datetime


class Codes:
    """The codes that one sandbox has given out."""

    def __init__(self, clock: Clock, behaviour: SignInBehaviour) -> None:
        self._clock = clock
        self._behaviour = behaviour
        self._open: dict[str, CodeGrant] = {}
        self._redeemed: dict[str, None] = {}

    def expiry(self) -> datetime:
        """When a code that is made now ends."""
        return self._clock.now() + timedelta(seconds=self._behaviour.settings.code_lifetime)

    def issue(self, grant: CodeGrant) -> str:
        """A new code."""
        code = f"1.{secrets.token_urlsafe(96)}"
        self._open[code] = grant
        if len(self._open) > _REMEMBERED:
            del self._open[next(iter(self._open))]
        return code

    def look_at(self, code: str) -> CodeGrant:
        """What a code stands for, not yet used up. Raises ``SignInError``."""
        if code in self._redeemed:
            raise code_already_redeemed()
        grant = self._open.get(code)
        if grant is None:
            raise invalid_grant()
        if grant.expires <= self._clock.now():
            raise code_expired()
        return grant

    def use_up(self, code: str) -> None:
        """From here on the code is worth nothing."""
        del self._open[code]
        self._redeemed[code] = None
        if len(self._redeemed) > _REMEMBERED:
            del self._redeemed[next(iter(self._redeemed))]


def check_verifier(grant: CodeGrant, verifier: str | None) -> None:
    """Raises ``SignInError`` unless the client that redeems the code began the flow."""
    if grant.challenge is None:
        return
    if not verifier:
        raise verifier_missing()
    shown = verifier
    if grant.challenge_method == "S256":
        shown = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    if not hmac.compare_digest(shown, grant.challenge):
        raise verifier_mismatch()
