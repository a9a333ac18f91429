"""The pages that a browser visits to connect a tenant: a consent for each application, and a sign-in."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.graph import Authority, InvalidAddressError
from entra_jit.graph.addresses import scope
from entra_jit.ledger import connections
from entra_jit.ledger.connections import Pending
from models.actor import Actor
from models.connections import BegunConnection, ConnectionStep
from models.errors import BadInputError, SettingsError, quoted

CONSENTS = {ConnectionStep.CONSENT_TO_ELEVATE: "elevate", ConnectionStep.CONSENT_TO_REVOKE: "revoke"}
"""Which application of ours a step is about."""


LASTS = timedelta(minutes=15)
"""How long an administrator may take from the first page to the last."""


async def resolve_tenant(app: App, tenant: str) -> Authority:
    """The tenant of a domain or id, as Microsoft knows it, for our applications to be consented to there."""
    own = app.own_applications
    if "elevate" not in own or "sign_in" not in own:
        raise SettingsError(
            "The MSP's own applications are not set.",
            advice="Set ENTRA_JIT_ELEVATE__* and ENTRA_JIT_SIGN_IN__*, or register applications in the tenant.",
        )
    try:
        return await app.graph.authority(tenant)
    except InvalidAddressError:
        raise BadInputError(f"{quoted(tenant)} is neither a domain nor an id of a tenant") from None


async def begin(
    app: App,
    authority: Authority,
    domain: str,
    redirect_uri: str,
    browser: SecretStr,
    *,
    by: Actor,
    invitation: str | None = None,
) -> BegunConnection:
    """Expect ``browser``, which begins with the first consent. Raises ``BadInputError`` for an unusable address."""
    if urlsplit(redirect_uri).scheme not in {"https", "http"}:
        raise BadInputError("redirect_uri must be an http or https address")
    pending = Pending(
        tenant_id=authority.tenant_id,
        domain=domain,
        step=next(iter(ConnectionStep)),
        redirect_uri=redirect_uri,
        begun_by=by,
        expires_at=app.clock() + LASTS,
        invitation=invitation,
    )
    address = await send_browser(app, authority, pending, browser)
    return BegunConnection(authority.tenant_id, address, pending.expires_at)


def step_after(app: App, step: ConnectionStep) -> ConnectionStep:
    """The step after a consent. One application for both purposes needs one consent."""
    if step is ConnectionStep.CONSENT_TO_ELEVATE and not is_one_application(app):
        return ConnectionStep.CONSENT_TO_REVOKE
    return ConnectionStep.SIGN_IN


def is_one_application(app: App) -> bool:
    """Whether one application of the MSP's serves both purposes."""
    own = app.own_applications
    return own["elevate"].client_id == own["revoke"].client_id


async def send_browser(app: App, authority: Authority, pending: Pending, browser: SecretStr) -> str:
    """Expect the browser back from the step of ``pending``, with a new state, and give the step's address."""
    state = SecretStr(secrets.token_urlsafe(32))
    own = app.own_applications
    if pending.step is ConnectionStep.SIGN_IN:
        sign_in = app.graph.person_sign_in(own["sign_in"].connection(pending.tenant_id, pending.domain))
        address, begun = await sign_in.begin(pending.redirect_uri, state.get_secret_value())
        pending = replace(pending, begun=begun)
    else:
        address = authority.consent_address(
            own[CONSENTS[pending.step]].client_id,
            pending.redirect_uri,
            state.get_secret_value(),
            scope(app.settings.graph_url),
        )
    async with app.ledger.transaction() as session:
        await connections.expect(session, app.keyring, pending, state=state, browser=browser, at=app.clock())
    return address
