"""What is posted to the token endpoint."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from sandbox.directory.tenant import Tenant
from sandbox.exchange import Exchange
from sandbox.identity.errors import parameter_missing


@dataclass(slots=True)
class TokenRequest:
    """The form that was posted, and to which tenant (None: one of the multi-tenant names)."""

    exchange: Exchange
    tenant_name: str
    tenant: Tenant | None
    form: dict[str, str]

    def required(self, name: str) -> str:
        """A field of the form; AADSTS900144 if it is not there."""
        if not (value := self.form.get(name)):
            raise parameter_missing(name)
        return value

    @property
    def client_id(self) -> str:
        """The client id, from the form or from basic authentication."""
        basic_id, basic_secret = _basic(self.exchange)
        if basic_id:
            self.form.setdefault("client_id", basic_id)
            self.form.setdefault("client_secret", basic_secret)
        return self.required("client_id").lower()

    @property
    def shows_credential(self) -> bool:
        """Whether the caller tries to prove itself."""
        return bool(self.form.get("client_secret") or self.form.get("client_assertion"))


def _basic(exchange: Exchange) -> tuple[str, str]:
    kind, _, value = exchange.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(value).decode().partition(":")
    except ValueError:
        return "", ""
    return client_id, secret
