"""The pages that a browser visits to connect a tenant: a consent for each application, and a sign-in."""

from __future__ import annotations

import secrets
from dataclasses import replace

from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.graph import Authority
from entra_jit.graph.addresses import scope
from entra_jit.ledger import connections
from entra_jit.ledger.connections import Pending
from models.connections import ConnectionStep

CONSENTS = {ConnectionStep.CONSENT_TO_ELEVATE: "elevate", ConnectionStep.CONSENT_TO_REVOKE: "revoke"}
"""Which application of ours a step is about."""


def first_step() -> ConnectionStep:
    """Where a connection begins."""
    return next(iter(ConnectionStep))


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
