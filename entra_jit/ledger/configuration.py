"""Tenants, technicians, groups and role mappings: what the MSP has configured."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from pydantic import SecretStr, TypeAdapter
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from entra_jit.crypto.keyring import Keyring
from entra_jit.crypto.sealing import Sealed, seal, unseal
from entra_jit.ledger import events
from entra_jit.ledger.events import NewEvent
from entra_jit.policy import decision, entitlement
from entra_jit.policy.configuration import Configuration, PurposeName
from entra_jit.policy.facts import TechnicianTerms, TenantTerms
from models.actor import Actor
from models.events import EventKind
from models.messages import AccessItem, AccessKind, TechnicianId, TenantId
from models.tables import (
    Group,
    GroupMember,
    RoleMapping,
    Technician,
    Tenant,
    TenantCredential,
    TenantReconciliationRow,
)

Proofs = Mapping[tuple[UUID, PurposeName], SecretStr]
"""The credential of each tenant and purpose, as whoever applies the configuration has read it."""

_DUMPED = TypeAdapter(Configuration)


async def apply(
    session: AsyncSession, by: Actor, keyring: Keyring, configuration: Configuration, proofs: Proofs
) -> None:
    """Make the ledger's configuration what the file says, whole. Applying the same file twice changes nothing.

    Tenants and technicians that the file no longer has are kept as inactive: nothing new is granted there, and what
    is open can still be closed.
    """
    await _apply_tenants(session, keyring, configuration, proofs)
    await _apply_technicians(session, configuration)
    # Whoever applies a configuration says that what the applications may do now is what they are meant to.
    await session.exec(update(TenantReconciliationRow).values(granted=[]))
    await session.exec(delete(RoleMapping))
    await session.exec(delete(GroupMember))
    await session.exec(delete(Group))
    by_name = {technician.name: technician.id for technician in configuration.technicians}
    session.add(Group(name=entitlement.ALL_TECHNICIANS))
    session.add_all(
        Group(name=group.name, attribute=group.attribute, value=group.value) for group in configuration.groups
    )
    await session.flush()
    session.add_all(
        GroupMember(group_name=group.name, technician_id=by_name[member])
        for group in configuration.groups
        for member in group.members
    )
    session.add_all(
        RoleMapping(
            group_name=mapping.group,
            tenant_id=UUID(mapping.tenant_id) if mapping.tenant_id else None,
            kind=mapping.item.kind,
            item_id=mapping.item.id,
            item_name=mapping.item.name,
        )
        for mapping in configuration.mappings()
    )
    await events.append(session, _applied(by, configuration))


def _applied(by: Actor, configuration: Configuration) -> NewEvent:
    """That it was applied, and which: the hash is the same for what says the same."""
    body = {
        "hash": hashlib.sha256(_DUMPED.dump_json(configuration)).hexdigest(),
        "tenants": [tenant.name for tenant in configuration.tenants],
        "technicians": len(configuration.technicians),
    }
    return NewEvent(EventKind.CONFIGURATION_APPLIED, by, body)


async def _apply_tenants(session: AsyncSession, keyring: Keyring, configuration: Configuration, proofs: Proofs) -> None:
    await session.exec(update(Tenant).values(active=False))
    for tenant in configuration.tenants:
        row = {
            "id": tenant.id,
            "name": tenant.name,
            "display_name": tenant.display_name,
            "account_domain": tenant.account_domain,
            "account_prefix": tenant.account_prefix,
            "default_duration": tenant.hours,
            "max_duration": tenant.max_hours,
            "credential": tenant.credential,
            "active": True,
        }
        await _upsert(session, Tenant, row, key=("id",))
        for purpose, application in tenant.applications():
            sealed = seal(keyring, proofs[tenant.id, purpose], credential_owner(TenantId(str(tenant.id)), purpose))
            await _upsert(
                session,
                TenantCredential,
                {
                    "tenant_id": tenant.id,
                    "purpose": purpose,
                    "client_id": application.client_id,
                    "kind": application.kind,
                    "key_id": sealed.key_id,
                    "ciphertext": sealed.ciphertext,
                },
                key=("tenant_id", "purpose"),
            )


async def _apply_technicians(session: AsyncSession, configuration: Configuration) -> None:
    await session.exec(update(Technician).values(active=False))
    for technician in configuration.technicians:
        row = {
            "id": technician.id,
            "name": technician.name,
            "display_name": technician.display_name,
            "attributes": technician.attributes,
            "active": True,
        }
        await _upsert(session, Technician, row, key=("id",))


async def _upsert(session: AsyncSession, table: type[SQLModel], row: dict[str, object], key: tuple[str, ...]) -> None:
    statement = insert(table).values(row)
    changed = {name: statement.excluded[name] for name in row if name not in key}
    await session.exec(statement.on_conflict_do_update(index_elements=key, set_=changed))


def credential_owner(tenant_id: TenantId, purpose: str) -> str:
    """What a tenant's sealed credential is bound to, so that it opens for no other tenant or purpose."""
    return f"tenant {tenant_id} {purpose}"


async def connection_secrets(
    session: AsyncSession, keyring: Keyring, tenant_id: TenantId
) -> dict[str, tuple[UUID, str, SecretStr]]:
    """How to sign in to a tenant: client id, kind of credential and the credential itself, by purpose."""
    rows = (
        await session.exec(select(TenantCredential).where(col(TenantCredential.tenant_id) == UUID(tenant_id)))
    ).all()
    return {
        row.purpose: (
            row.client_id,
            row.kind,
            unseal(keyring, Sealed(row.key_id, row.ciphertext), credential_owner(tenant_id, row.purpose)),
        )
        for row in rows
    }


async def tenant_by_name(session: AsyncSession, name: str) -> Tenant | None:
    """The tenant that people call so; an inactive one only where no active one has the name."""
    statement = select(Tenant).where(col(Tenant.name) == name).order_by(col(Tenant.active).desc())
    return (await session.exec(statement)).first()


async def tenant_name(session: AsyncSession, tenant_id: TenantId) -> str:
    """What people call the tenant; its id where the ledger does not know it."""
    row = await session.get(Tenant, UUID(tenant_id))
    return row.name if row else tenant_id


async def names_now(session: AsyncSession, tenant_id: UUID, technician_id: UUID) -> tuple[str, str] | None:
    """What tenant and technician are called by now; None where either is no longer in the configuration.

    Their names of another day may be somebody else's by now.
    """
    tenant, technician = await session.get(Tenant, tenant_id), await session.get(Technician, technician_id)
    if tenant is None or technician is None or not (tenant.active and technician.active):
        return None
    return tenant.name, technician.name


async def all_tenants(session: AsyncSession) -> Sequence[Tenant]:
    """Every tenant ever connected, inactive ones too, by name."""
    return (await session.exec(select(Tenant).order_by(col(Tenant.name)))).all()


def tenant_terms(tenant: Tenant) -> TenantTerms:
    """The tenant as the policy sees it."""
    return TenantTerms(
        id=TenantId(str(tenant.id)),
        name=tenant.name,
        account_domain=tenant.account_domain,
        account_prefix=tenant.account_prefix,
        default_duration=tenant.default_duration,
        max_duration=tenant.max_duration,
        active=tenant.active,
    )


async def technician_terms(session: AsyncSession, name: str) -> TechnicianTerms | None:
    """The technician as the policy sees them; an inactive one only where no active one has the name."""
    statement = select(Technician).where(col(Technician.name) == name).order_by(col(Technician.active).desc())
    row = (await session.exec(statement)).first()
    return terms_of(row) if row else None


def terms_of(technician: Technician) -> TechnicianTerms:
    """The technician as the policy sees them."""
    return TechnicianTerms(TechnicianId(str(technician.id)), technician.name, technician.attributes, technician.active)


async def no_longer_due(
    session: AsyncSession, tenant: Tenant, technician_id: UUID, access: Iterable[AccessItem]
) -> str | None:
    """Why this access may not be opened or extended for the technician there by now; None: they may."""
    technician = await session.get_one(Technician, technician_id)
    return decision.no_longer_due(
        access, tenant_terms(tenant), terms_of(technician), await groups(session), await role_mappings(session)
    )


async def groups(session: AsyncSession) -> list[entitlement.Group]:
    """Every group with its listed members."""
    members: dict[str, set[TechnicianId]] = {}
    for member in await session.exec(select(GroupMember)):
        members.setdefault(member.group_name, set()).add(TechnicianId(str(member.technician_id)))
    return [
        entitlement.Group(row.name, frozenset(members.get(row.name, ())), row.attribute, row.value)
        for row in await session.exec(select(Group))
    ]


async def role_mappings(session: AsyncSession) -> list[entitlement.RoleMapping]:
    """Every role mapping, of one tenant or of all."""
    return [
        entitlement.RoleMapping(
            row.group_name,
            TenantId(str(row.tenant_id)) if row.tenant_id else None,
            AccessItem(kind=AccessKind(row.kind), id=row.item_id, name=row.item_name),
        )
        for row in await session.exec(select(RoleMapping))
    ]
