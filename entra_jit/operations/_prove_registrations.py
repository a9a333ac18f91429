"""Prove the credentials of a file in their tenants before they are stored: a wrong client id was simply *applied*."""

from __future__ import annotations

from dataclasses import dataclass

from entra_jit.accounts.attempts import gather_bounded
from entra_jit.accounts.directories import credential_of
from entra_jit.app import App
from entra_jit.configuration_file import ConfigurationFile
from entra_jit.graph import Connection, GraphError
from entra_jit.ledger import configuration as configurations
from entra_jit.policy.configuration import Application, PurposeName, TenantEntry
from models.messages import TenantId

AT_ONCE = 10


@dataclass(frozen=True)
class Unproven:
    """A credential that does not open its tenant; ``explanation`` is a sentence."""

    tenant: TenantEntry
    purpose: PurposeName
    explanation: str


async def prove_registrations(app: App, found: ConfigurationFile) -> list[Unproven]:
    """Every credential of a tenant's own registration that is new or changed, and gets no token of that tenant.

    Reads only. One that is stored already is not tried again: a leaver must not stay in the configuration because a
    customer's tenant is away.
    """
    async with app.ledger.transaction() as session:
        stored = await configurations.all_connection_secrets(session, app.keyring)

    async def prove(entry: tuple[TenantEntry, PurposeName, Application]) -> Unproven | None:
        tenant, purpose, application = entry
        secret = found.proofs.get((tenant.id, purpose))
        if secret is None or stored.get((tenant.id, purpose)) == (application.client_id, application.kind, secret):
            return None
        connection = Connection(
            tenant_id=TenantId(str(tenant.id)),
            tenant=tenant.name,
            client_id=str(application.client_id),
            credential=credential_of(application.kind, secret),
        )
        try:
            granted = await app.graph.tenant(connection).granted()
        except GraphError as error:
            return Unproven(tenant, purpose, str(error))
        if granted and granted.tenant_id not in {None, connection.tenant_id}:
            return Unproven(tenant, purpose, f"The application opens another tenant, {granted.tenant_id}.")
        return None

    entries = [
        (tenant, purpose, application)
        for tenant in found.configuration.tenants
        for purpose, application in tenant.applications()
    ]
    proven = await gather_bounded(AT_ONCE, prove, entries)
    return [one for one in proven if one]
