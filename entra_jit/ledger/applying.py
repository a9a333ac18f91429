"""Making the ledger's configuration what a file says, in as many statements for thousands of rows as for one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import delete, func, tuple_, update
from sqlalchemy import select as columns_of
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.crypto.keyring import Keyring, Purpose
from entra_jit.crypto.sealing import seal
from entra_jit.ledger import configuration as configurations
from entra_jit.ledger import configuration_versions, events
from entra_jit.ledger.bulk import Row, given, insert_missing, replace, upsert
from entra_jit.ledger.configuration import GROUP_RULES, credential_owner
from entra_jit.ledger.events import NewEvent
from entra_jit.ledger.texts import Written
from entra_jit.policy import entitlement
from entra_jit.policy.configuration import Configuration, PurposeName
from entra_jit.policy.configuration_changes import Configured, UnclosedGrant, plan_changes, terms_by_field
from models.actor import Actor
from models.configuration_plan import ConfigurationPlan, EndingGrant
from models.errors import BadInputError
from models.events import EventKind
from models.marks import CANARY_ID
from models.messages import TechnicianId, TenantId
from models.tables import (
    GrantRow,
    Group,
    GroupMember,
    RoleMapping,
    Technician,
    Tenant,
    TenantCredential,
    TenantReconciliationRow,
)

APPLYING = 0x4150504C
"""The key of PostgreSQL's advisory lock that makes those who apply a configuration take turns."""

Proofs = Mapping[tuple[UUID, PurposeName], SecretStr]
"""The credential of each tenant and purpose, as it was read when the file was."""


class NotStoredError(BadInputError):
    """A configuration leaves a credential to the ledger, which does not have it."""

    advice = "Name where it is in the file, or enter it on the tenant's page."


async def take_turns(session: AsyncSession) -> None:
    """Until the transaction ends no other configuration comes into force."""
    await session.exec(select(func.pg_advisory_xact_lock(APPLYING)))


async def plan(session: AsyncSession, configuration: Configuration) -> ConfigurationPlan:
    """What applying it does. No other is applied until the transaction ends, so that it stays true."""
    await take_turns(session)
    return plan_changes(await _configured(session), configuration, await _live(session))


_TENANTS = columns_of(
    col(Tenant.id),
    col(Tenant.name),
    col(Tenant.account_domain),
    col(Tenant.account_prefix),
    col(Tenant.default_duration),
    col(Tenant.max_duration),
    col(Tenant.credential),
    col(Tenant.canary),
    col(Tenant.emergency_accounts),
    col(Tenant.emergency_rotation),
    col(Tenant.tags),
).where(col(Tenant.active))


async def _configured(session: AsyncSession) -> Configured:
    # Columns alone are read: rows would stay in the session, and later reads would find them unchanged.
    tenants = (await (await session.connection()).execute(_TENANTS)).all()
    technicians = await session.exec(
        select(Technician.id, Technician.name, Technician.attributes).where(
            col(Technician.active), col(Technician.id) != UUID(CANARY_ID)
        )
    )
    return Configured(
        tenants={TenantId(str(row.id)): row.name for row in tenants},
        terms={
            TenantId(str(row.id)): terms_by_field(
                row.account_domain,
                row.account_prefix,
                hours=row.default_duration,
                max_hours=row.max_duration,
                credential=row.credential,
                canary=row.canary,
                emergency_accounts=row.emergency_accounts,
                emergency_rotation=row.emergency_rotation,
                tags=row.tags,
            )
            for row in tenants
        },
        technicians={
            TechnicianId(str(id)): (name, entitlement.Technician(TechnicianId(str(id)), attributes))
            for id, name, attributes in technicians
        },
        groups=tuple(await configurations.groups(session)),
        mappings=tuple(await configurations.role_mappings(session)),
    )


async def _live(session: AsyncSession) -> list[UnclosedGrant]:
    connection = await session.connection()
    found = await connection.execute(
        columns_of(
            col(GrantRow.request_id),
            col(GrantRow.expires_at),
            col(Tenant.id),
            col(Tenant.name),
            col(Technician.id),
            col(Technician.name),
        )
        .join(Tenant, col(Tenant.id) == col(GrantRow.tenant_id))
        .join(Technician, col(Technician.id) == col(GrantRow.technician_id))
        .where(col(GrantRow.closed_at).is_(None), col(GrantRow.closing_at).is_(None))
        .order_by(col(GrantRow.request_id))
    )
    return [
        UnclosedGrant(
            TenantId(str(tenant_id)),
            TechnicianId(str(technician_id)),
            EndingGrant(request_id=request_id, technician=technician, tenant=tenant, expires_at=expires_at),
        )
        for request_id, expires_at, tenant_id, tenant, technician_id, technician in found
    ]


async def apply(
    session: AsyncSession,
    by: Actor,
    keyring: Keyring,
    configuration: Configuration,
    proofs: Proofs,
    at: datetime,
    *,
    reason: str | None = None,
) -> int:
    """Make the ledger's configuration this one, whole; gives the event's id. Applying the same twice changes nothing.

    Tenants and technicians that the file no longer has are kept as inactive: nothing new is granted there, and what
    is open can still be closed.
    """
    await take_turns(session)
    for table, rows in ((Tenant, _tenants(configuration)), (Technician, _technicians(configuration))):
        # Those that leave or are renamed give up their names first: two may swap theirs.
        kept = tuple_(col(table.id), col(table.name)).in_(select(*given(table, rows, ("id", "name")).c))
        gone = col(table.active), ~kept, col(table.id) != UUID(CANARY_ID)
        await session.exec(update(table).where(*gone).values(active=False))
        await upsert(session, table, rows)
    without = [tenant.id for tenant in configuration.tenants if tenant.elevate is None]
    await session.exec(delete(TenantCredential).where(col(TenantCredential.tenant_id).in_(without)))
    await _expect_stored(session, configuration, proofs)
    await upsert(session, TenantCredential, _credentials(keyring, configuration, proofs))
    groups = _groups(configuration)
    await upsert(session, Group, groups)
    await session.exec(delete(Group).where(col(Group.name).not_in([group["name"] for group in groups])))
    await replace(session, GroupMember, ("group_name", "technician_id"), _members(configuration))
    contents = ("group_name", "tenant_id", "kind", "item_id", "item_name")
    await replace(session, RoleMapping, contents, _mappings(configuration))
    await _expect_reconciliations(session, configuration, at)
    content_hash = configuration_versions.hash_of(configuration)
    [event_id] = await events.append(session, _applied(by, configuration, content_hash, reason))
    before = await configuration_versions.stamp(session)
    if before is None or before.hash != content_hash:
        await configuration_versions.enter(session, configuration, content_hash, event_id)
    return event_id


def _tenants(configuration: Configuration) -> list[Row]:
    return [
        {
            "id": tenant.id,
            "name": tenant.name,
            "display_name": tenant.display_name,
            "account_domain": tenant.account_domain,
            "account_prefix": tenant.account_prefix,
            "default_duration": tenant.hours,
            "max_duration": tenant.max_hours,
            "credential": tenant.credential,
            "tags": list(tenant.tags),
            "canary": tenant.canary,
            "emergency_accounts": tenant.emergency_accounts,
            "emergency_rotation": tenant.emergency_rotation,
            "active": True,
            "disconnected_at": None,
        }
        for tenant in configuration.tenants
    ]


def _technicians(configuration: Configuration) -> list[Row]:
    return [
        {
            "id": technician.id,
            "name": technician.name,
            "display_name": technician.display_name,
            "attributes": technician.attributes,
            "active": True,
        }
        for technician in configuration.technicians
    ]


def _credentials(keyring: Keyring, configuration: Configuration, proofs: Proofs) -> list[Row]:
    rows: list[Row] = []
    for tenant in configuration.tenants:
        for purpose, application in tenant.applications():
            if (tenant.id, purpose) not in proofs:
                continue
            owner = credential_owner(TenantId(str(tenant.id)), purpose)
            sealed = seal(keyring, Purpose.TENANT_CREDENTIAL, proofs[tenant.id, purpose], owner)
            rows.append(
                {
                    "tenant_id": tenant.id,
                    "purpose": purpose,
                    "client_id": application.client_id,
                    "kind": application.kind,
                    "key_id": sealed.key_id,
                    "ciphertext": sealed.ciphertext,
                }
            )
    return rows


async def _expect_stored(session: AsyncSession, configuration: Configuration, proofs: Proofs) -> None:
    """Those whose credential is not among ``proofs`` must have it here, for the same application."""
    needed = {
        (tenant.id, purpose): (tenant.name, application)
        for tenant in configuration.tenants
        for purpose, application in tenant.applications()
        if (tenant.id, purpose) not in proofs
    }
    if not needed:
        return
    statement = select(TenantCredential).where(col(TenantCredential.tenant_id).in_({tenant for tenant, _ in needed}))
    for row in await session.exec(statement):
        _, application = needed.get((row.tenant_id, cast("PurposeName", row.purpose)), (None, None))
        if application and (row.client_id, row.kind) == (application.client_id, application.kind):
            del needed[row.tenant_id, cast("PurposeName", row.purpose)]
    for (_, purpose), (name, application) in needed.items():
        raise NotStoredError(
            f"tenant {name}, {purpose}: no {application.kind} of the application {application.client_id} is stored"
        )


def _groups(configuration: Configuration) -> list[Row]:
    built_in = entitlement.Group(entitlement.ALL_TECHNICIANS)
    return [
        {"name": group.name, "rules": GROUP_RULES.dump_python(group.rules, mode="json")}
        for group in (built_in, *configuration.technician_groups())
    ]


def _members(configuration: Configuration) -> list[Row]:
    return [
        {"group_name": group.name, "technician_id": UUID(member)}
        for group in configuration.technician_groups()
        for member in group.members
    ]


def _mappings(configuration: Configuration) -> list[Row]:
    return [
        {
            "group_name": mapping.group,
            "tenant_id": UUID(mapping.tenant_id) if mapping.tenant_id else None,
            "kind": mapping.item.kind.value,
            "item_id": mapping.item.id,
            "item_name": mapping.item.name,
        }
        for mapping in configuration.mappings
    ]


async def _expect_reconciliations(session: AsyncSession, configuration: Configuration, at: datetime) -> None:
    """Every tenant is to be looked at from now on. What the applications may do now is what they are meant to."""
    await session.exec(update(TenantReconciliationRow).values(granted=[]))
    rows: list[Row] = [
        {"tenant_id": tenant.id, "tried_at": at, "succeeded_at": at, "granted": []} for tenant in configuration.tenants
    ]
    await insert_missing(session, TenantReconciliationRow, rows)


def _applied(by: Actor, configuration: Configuration, content_hash: str, reason: str | None) -> NewEvent:
    """That it was applied, and which."""
    body: dict[str, object] = {
        "hash": content_hash,
        "tenants": [tenant.name for tenant in configuration.tenants],
        "technicians": len(configuration.technicians),
    }
    if reason is not None:
        body["reason"] = Written(reason)
    return NewEvent(EventKind.CONFIGURATION_APPLIED, by, body)
