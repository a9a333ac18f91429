"""Where the people of a tenant sign in: which tenant a domain belongs to, and the keys that sign its id tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from entra_jit.graph.addresses import domain
from entra_jit.graph.catalogue import TRANSPORT_ADVICE
from entra_jit.graph.errors import PermanentError, TransientError, UnexpectedResponseError
from models.messages import TenantId

FIND_TENANT = "find the tenant"
READ_KEYS = "read the keys of the tenant's sign-in service"

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UNKNOWN_TENANT = "Check the domain, and that the sign-in address belongs to the tenant's cloud."


@dataclass(frozen=True)
class Authority:
    """The sign-in service of one tenant."""

    tenant_id: TenantId
    issuer: str
    """Who issues its id tokens, as those must say."""
    tenant: str
    """The name it was found by, for errors."""
    _address: str
    _http: httpx.AsyncClient

    def consent_address(self, client_id: str, redirect_uri: str, state: str, scope: str) -> str:
        """Where an administrator consents to all that the application's registration lists.

        https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
        """
        asked = {"client_id": client_id, "scope": scope, "redirect_uri": redirect_uri, "state": state}
        return f"{self._address}/v2.0/adminconsent?{urlencode(asked)}"

    async def keys(self) -> Mapping[str, Any]:
        """The keys that id tokens of this tenant are signed with now, as a JSON Web Key Set."""
        return await _document(self._http, f"{self._address}/discovery/v2.0/keys", self.tenant, READ_KEYS)


async def find_authority(http: httpx.AsyncClient, login_url: str, tenant: str) -> Authority:
    """The sign-in service of the tenant with this domain or id, as Microsoft knows it. Signs in nowhere.

    Raises ``PermanentError`` where there is no such tenant, and ``InvalidAddressError`` for what is no domain.
    """
    address = f"{login_url}/{domain(tenant)}/v2.0/.well-known/openid-configuration"
    issuer = str((await _document(http, address, tenant, FIND_TENANT)).get("issuer"))
    found = _GUID.search(issuer)
    if found is None:
        raise UnexpectedResponseError(
            tenant=tenant, purpose=FIND_TENANT, operation=_operation(address), advice="", message="it names no issuer"
        )
    return Authority(TenantId(found[0]), issuer, tenant, f"{login_url}/{found[0]}", http)


async def _document(http: httpx.AsyncClient, address: str, tenant: str, purpose: str) -> Mapping[str, Any]:
    known: dict[str, Any] = {"tenant": tenant, "purpose": purpose, "operation": _operation(address)}
    try:
        answer = await http.get(address)
        document = answer.json()
    except httpx.TransportError as error:
        raise TransientError(**known, message=type(error).__name__, advice=TRANSPORT_ADVICE) from None
    except ValueError:
        raise UnexpectedResponseError(
            **known, status=answer.status_code, advice="See what proxy or firewall stands between."
        ) from None
    if answer.status_code >= 500 or answer.status_code in (408, 429):
        raise TransientError(**known, status=answer.status_code, advice="It passes by itself.")
    if not answer.is_success or not isinstance(document, dict):
        codes = document.get("error_codes") if isinstance(document, dict) else None
        code = f"AADSTS{codes[0]}" if isinstance(codes, list) and codes else None
        raise PermanentError(**known, status=answer.status_code, code=code, advice=_UNKNOWN_TENANT)
    return document


def _operation(address: str) -> str:
    return f"GET {httpx.URL(address).path}"
