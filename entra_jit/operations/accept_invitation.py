"""Connect a tenant by a link that was sent to an administrator of it: what the portal serves without a sign-in."""

from __future__ import annotations

from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import connections
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from entra_jit.operations._connection_proof import NotConnectableError
from entra_jit.operations._connection_steps import begin, resolve_tenant
from models.actor import Actor
from models.connections import BegunConnection


@asks(Verb.ACCEPT_INVITATION)
@at_a_worker
async def accept_invitation(
    actor: Actor, app: App, token: SecretStr, redirect_uri: str, browser: SecretStr
) -> BegunConnection:
    """Begin what the invitation of ``token`` is for, in the name of who made it; ``actor`` is ``INVITED``.

    Nothing is used up before the tenant is connected. ``browser``: as for ``begin_connection``. Raises
    ``NotConnectableError`` for a link that is unknown, used or expired.
    """
    async with app.ledger.transaction() as session:
        found = await connections.invitation(session, token, app.clock())
    if found is None:
        raise NotConnectableError("This link was used already, has expired, or was not made here.")
    authority = await resolve_tenant(app, found.tenant_id)
    return await begin(app, authority, found.domain, redirect_uri, browser, by=found.invited_by, invitation=found.hash)
