"""Make a link by which an administrator of a customer, wherever they are, connects their tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from entra_jit.app import App
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import connections
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from entra_jit.operations._connection_steps import resolve_tenant
from models.actor import Actor
from models.errors import BadInputError
from models.messages import TenantId

LONGEST = timedelta(days=14)


@dataclass(frozen=True)
class Invited:
    """Until when the link works. It works once."""

    tenant_id: TenantId
    expires_at: datetime


@asks(Verb.CONNECT_TENANT)
@at_a_worker
async def invite_administrator(
    actor: Actor, app: App, tenant: str, token: SecretStr, *, lasts: timedelta = timedelta(days=7)
) -> Invited:
    """Invite an administrator of ``tenant`` (a domain or an id) to connect it. The journal has ``actor`` as who did.

    ``token``: a secret that the link holds, and nothing keeps. Who has the link can begin; only the consent and the
    role of an administrator of that very tenant connect it. Raises as ``begin_connection`` does.
    """
    if not timedelta() < lasts <= LONGEST:
        raise BadInputError(f"An invitation lasts at most {LONGEST.days} days.")
    authority = await resolve_tenant(app, tenant)
    until = app.clock() + lasts
    async with app.ledger.transaction() as session:
        await connections.invite(session, token, authority.tenant_id, tenant.lower(), actor, until)
    return Invited(authority.tenant_id, until)
