"""Begin to connect a tenant: an administrator of it consents to the MSP's own applications."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.graph import InvalidAddressError
from entra_jit.identity.authorize import Verb
from entra_jit.ledger.connections import Pending
from entra_jit.operations._asking import asks
from entra_jit.operations._connection_steps import first_step, send_browser
from models.actor import Actor
from models.errors import BadInputError, SettingsError, quoted
from models.messages import TenantId

LASTS = timedelta(minutes=15)
"""How long an administrator may take from the first page to the last."""


@dataclass(frozen=True)
class BegunConnection:
    """Where to send the browser, and what it must bring back together with Microsoft's answer."""

    tenant_id: TenantId
    """As Microsoft resolves the domain: no answer of a browser changes it."""
    address: str
    browser: SecretStr
    """For this browser alone, for example as a cookie: an answer that another browser brings is refused."""
    expires_at: datetime


@asks(Verb.CONNECT_TENANT)
async def begin_connection(actor: Actor, app: App, tenant: str, redirect_uri: str) -> BegunConnection:
    """Resolve ``tenant`` (a domain or an id) and give the address at which an administrator of it consents.

    ``redirect_uri``: where Microsoft sends the browser then; all three applications must have it registered. What
    arrives there goes to ``finish_connection``. Raises ``SettingsError`` where the MSP's applications are not set,
    ``BadInputError``, and ``GraphError`` where Microsoft does not know the tenant.
    """
    own = app.own_applications
    if "elevate" not in own or "sign_in" not in own:
        raise SettingsError(
            "The MSP's own applications are not set.",
            advice="Set ENTRA_JIT_ELEVATE__* and ENTRA_JIT_SIGN_IN__*, or register applications in the tenant.",
        )
    if urlsplit(redirect_uri).scheme not in {"https", "http"}:
        raise BadInputError("redirect_uri must be an http or https address")
    try:
        authority = await app.graph.authority(tenant)
    except InvalidAddressError:
        raise BadInputError(f"{quoted(tenant)} is neither a domain nor an id of a tenant") from None
    browser = SecretStr(secrets.token_urlsafe(32))
    pending = Pending(
        tenant_id=authority.tenant_id,
        domain=tenant.lower(),
        step=first_step(),
        redirect_uri=redirect_uri,
        begun_by=actor,
        expires_at=app.clock() + LASTS,
    )
    address = await send_browser(app, authority, pending, browser)
    return BegunConnection(authority.tenant_id, address, browser, pending.expires_at)
