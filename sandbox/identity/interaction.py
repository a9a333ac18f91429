"""What travels with the pages of one sign-in: what was asked for, and who has proved to be whom so far.

The pages carry it, signed, so that the sandbox remembers nothing between them and survives a restart.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

import jwt

from sandbox.clock import Clock
from sandbox.directory.directory import Directory
from sandbox.exchange import Exchange
from sandbox.identity.errors import malformed_request
from sandbox.identity.sign_in import Method, SignedIn
from sandbox.identity.signing import KeyRing

Purpose = Literal["authorize", "adminconsent", "v2.0/adminconsent"]

_COOKIE = "ESTSAUTH"
_LIFETIME = timedelta(hours=1)
_SESSION = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A sign-in as it is written down outside: enough to find the account again and see whether it still holds."""

    tenant_id: str
    user_id: str
    method: Method
    at: str
    ends: str | None
    second_factor: bool
    session_id: str

    @classmethod
    def of(cls, signed_in: SignedIn) -> Evidence:
        return cls(
            tenant_id=signed_in.tenant.id,
            user_id=signed_in.user.id,
            method=signed_in.method,
            at=signed_in.at.isoformat(),
            ends=signed_in.ends.isoformat() if signed_in.ends else None,
            second_factor=signed_in.second_factor,
            session_id=signed_in.session_id,
        )

    def signed_in(self, directory: Directory, now: datetime) -> SignedIn | None:
        """The sign-in, if it still holds: not disabled, deleted, revoked or over since."""
        tenant = directory.tenants.get(self.tenant_id)
        user = tenant.users.get(self.user_id) if tenant else None
        at = datetime.fromisoformat(self.at)
        ends = datetime.fromisoformat(self.ends) if self.ends else None
        if tenant is None or user is None or not user.enabled or at <= user.sessions_valid_from:
            return None
        if now >= (ends or at + _SESSION):
            return None
        return SignedIn(
            tenant=tenant,
            user=user,
            method=self.method,
            at=at,
            ends=ends,
            second_factor=self.second_factor,
            session_id=self.session_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One sign-in in the middle of its pages."""

    purpose: Purpose
    tenant_name: str
    parameters: dict[str, str] = field(default_factory=dict)
    username: str = ""
    evidence: Evidence | None = None

    def by(self, signed_in: SignedIn) -> Interaction:
        """The same, after a sign-in."""
        return replace(self, username=signed_in.user.user_principal_name, evidence=Evidence.of(signed_in))


class Memory:
    """Writes and reads what browsers keep for the sandbox: the state of pages, and the session."""

    def __init__(self, directory: Directory, keys: KeyRing, clock: Clock) -> None:
        self._directory = directory
        self._keys = keys
        self._clock = clock

    def written(self, interaction: Interaction) -> str:
        """What a page carries in its hidden field."""
        ends = (self._clock.now() + _LIFETIME).timestamp()
        return jwt.encode(asdict(interaction) | {"ends": ends}, self._keys.secret, algorithm="HS256")

    def read(self, text: str) -> Interaction:
        """The interaction again. Raises ``SignInError`` if it was forged or is too old."""
        try:
            claims = jwt.decode(text, self._keys.secret, algorithms=["HS256"])
            if claims.pop("ends") <= self._clock.now().timestamp():
                raise malformed_request()
            if claims["evidence"] is not None:
                claims["evidence"] = Evidence(**claims["evidence"])
            return Interaction(**claims)
        except (jwt.InvalidTokenError, LookupError, TypeError):
            raise malformed_request() from None

    def accounts(self, exchange: Exchange) -> list[SignedIn]:
        """Who is signed in in this browser, as far as it still holds."""
        name = f"{_COOKIE}="
        texts = (part.strip() for part in exchange.headers.get("cookie", "").split(";"))
        text = next((part.removeprefix(name) for part in texts if part.startswith(name)), "")
        try:
            held = jwt.decode(text, self._keys.secret, algorithms=["HS256"])["accounts"]
        except (jwt.InvalidTokenError, LookupError):
            return []
        now = self._clock.now()
        return [found for one in held if (found := Evidence(**one).signed_in(self._directory, now))]

    def cookie(self, accounts: list[SignedIn]) -> str:
        """The header that makes the browser remember these and no others."""
        rest = "Path=/; Secure; HttpOnly; SameSite=None"
        if not accounts:
            return f"{_COOKIE}=; Max-Age=0; {rest}"
        content = {"accounts": [asdict(Evidence.of(one)) for one in accounts]}
        return f"{_COOKIE}={jwt.encode(content, self._keys.secret, algorithm='HS256')}; {rest}"
