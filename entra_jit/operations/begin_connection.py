"""Begin to connect a tenant: an administrator of it consents to the MSP's own applications."""

from __future__ import annotations

from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from entra_jit.operations._connection_steps import begin, resolve_tenant
from models.actor import Actor
from models.connections import BegunConnection


@asks(Verb.CONNECT_TENANT)
@at_a_worker
async def begin_connection(
    actor: Actor, app: App, tenant: str, redirect_uri: str, browser: SecretStr
) -> BegunConnection:
    """Resolve ``tenant`` (a domain or an id) and give the address at which an administrator of it consents.

    ``redirect_uri``: where Microsoft sends the browser then; all three applications must have it registered. What
    arrives there goes to ``finish_connection``. ``browser``: a secret of this browser alone, for example its cookie;
    an answer that another browser brings is refused. Raises ``SettingsError`` where the MSP's applications are not set,
    ``BadInputError``, and ``GraphError`` where Microsoft does not know the tenant.
    """
    authority = await resolve_tenant(app, tenant)
    return await begin(app, authority, tenant.lower(), redirect_uri, browser, by=actor)
