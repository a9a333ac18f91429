"""List the domains of a tenant, as the tenant itself says, and which of them can have our accounts."""

from __future__ import annotations

from uuid import UUID

from entra_jit.accounts.directories import Purpose
from entra_jit.app import App
from entra_jit.graph import Tenant
from entra_jit.identity.authorize import Verb
from entra_jit.ledger import configuration, connections
from entra_jit.operations._asking import asks
from entra_jit.operations._at_a_worker import at_a_worker
from entra_jit.policy.domain import refuse_domain
from models.actor import Actor
from models.errors import BadInputError, NotFoundError
from models.message import Message
from models.messages import TenantId


class TenantDomain(Message):
    """A domain of a tenant."""

    name: str
    is_initial: bool
    refused: str | None
    """Why accounts cannot be made there; None: they can."""


@asks(Verb.READ_DOMAINS)
@at_a_worker
async def list_domains(actor: Actor, app: App, tenant: str) -> tuple[TenantDomain, ...]:
    """The domains of the tenant with this id: the ``onmicrosoft.com`` domain first, refused ones last.

    The tenant need not be configured yet, once it is connected. Raises ``BadInputError``, ``NotFoundError``, or
    ``GraphError`` where Microsoft does not answer.
    """
    try:
        tenant_id = TenantId(str(UUID(tenant)))
    except ValueError:
        raise BadInputError("tenant: the id of a tenant") from None
    found = await (await _directory(app, tenant_id)).domains.all()
    domains = (
        TenantDomain(
            name=one.name,
            is_initial=one.is_initial,
            refused=refuse_domain("the tenant", one.name, is_managed=one.is_managed if one.is_verified else None),
        )
        for one in found
    )
    return tuple(sorted(domains, key=lambda one: (one.refused is not None, not one.is_initial, one.name)))


async def _directory(app: App, tenant_id: TenantId) -> Tenant:
    async with app.ledger.transaction() as session:
        is_configured = await configuration.tenant_by_id(session, tenant_id) is not None
        connection = await connections.of_tenant(session, tenant_id)
    if is_configured:
        return await app.directories.of(tenant_id, Purpose.ELEVATE)
    if connection is None:
        raise NotFoundError("This tenant is not connected.")
    own = app.own_applications["elevate"].connection(tenant_id, connection.domain, connection.authorized_at)
    return app.graph.tenant(own)
